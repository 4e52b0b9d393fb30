// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The tables of proto/, each entry once more by hand.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "../proto/access.h"
#include "../proto/fault.h"
#include "../proto/qp_fsm.h"
#include "../proto/rdmap.h"
#include "../proto/ring.h"

/* RFC 5040 table 1 and RFC 7306 */
struct op_row {
	const char *name;
	enum siw_rdmap_op op;
	bool tagged;
	u8 qn;
	bool atomic_ext;
	bool solicited;
	bool invalidate;
	bool send;
};

static const struct op_row op_rows[] = {
	{ "RDMA Write", SIW_RDMAP_WRITE, true, 0 },
	{ "RDMA Read Request", SIW_RDMAP_READ_REQ, false, 1 },
	{ "RDMA Read Response", SIW_RDMAP_READ_RSP, true, 0 },
	{ "Send", SIW_RDMAP_SEND, false, 0, false, false, false, true },
	{ "Send with Invalidate", SIW_RDMAP_SEND_INV,
		false, 0, false, false, true, true },
	{ "Send with SE", SIW_RDMAP_SEND_SE,
		false, 0, false, true, false, true },
	{ "Send with SE and Invalidate", SIW_RDMAP_SEND_SE_INV,
		false, 0, false, true, true, true },
	{ "Terminate", SIW_RDMAP_TERMINATE, false, 2 },
	{ "Immediate Data", SIW_RDMAP_IMM,
		false, 0, false, false, false, true },
	{ "Immediate Data with SE", SIW_RDMAP_IMM_SE,
		false, 0, false, true, false, true },
	{ "Atomic Request", SIW_RDMAP_ATOMIC_REQ, false, 1, true },
	{ "Atomic Response", SIW_RDMAP_ATOMIC_RSP, false, 3, true },
};

KUNIT_ARRAY_PARAM_DESC(op, op_rows, name);

static void rdmap_opcode(struct kunit *test)
{
	const struct op_row *row = test->param_value;
	const struct siw_rdmap_op_info *info = siw_rdmap_op_info(row->op);

	KUNIT_ASSERT_NOT_NULL(test, info);
	KUNIT_EXPECT_STREQ(test, row->name, info->name);
	KUNIT_EXPECT_EQ(test, row->tagged, info->tagged);
	if (!row->tagged)
		KUNIT_EXPECT_EQ(test, row->qn, info->qn);
	KUNIT_EXPECT_EQ(test, row->atomic_ext, info->atomic_ext);
	KUNIT_EXPECT_EQ(test, row->solicited, info->solicited);
	KUNIT_EXPECT_EQ(test, row->invalidate, info->invalidate);
	KUNIT_EXPECT_EQ(test, row->send, info->send);
}

static void rdmap_opcodes_unassigned(struct kunit *test)
{
	u8 op;

	KUNIT_EXPECT_EQ(test, SIW_RDMAP_OPS, ARRAY_SIZE(op_rows));
	for (op = SIW_RDMAP_OPS; op < 16; op++)
		KUNIT_EXPECT_NULL(test, siw_rdmap_op_info(op));
}

/* RFC 5040 section 4.8, RFC 5041 section 7, RFC 5044 section 8, RFC 6581 */
struct fault_row {
	const char *name;
	enum siw_fault fault;
	u8 layer;
	u8 etype;
	u8 code;
};

#define FAULT(fault, layer, etype, code) \
	{ #fault, SIW_FAULT_##fault, layer, etype, code }

static const struct fault_row fault_rows[] = {
	FAULT(RDMAP_LOCAL, 0, 0, 0x00),
	FAULT(RDMAP_STAG, 0, 1, 0x00),
	FAULT(RDMAP_BOUNDS, 0, 1, 0x01),
	FAULT(RDMAP_ACCESS, 0, 1, 0x02),
	FAULT(RDMAP_PD, 0, 1, 0x03),
	FAULT(RDMAP_WRAP, 0, 1, 0x04),
	FAULT(RDMAP_INVALIDATE, 0, 1, 0x09),
	FAULT(RDMAP_VERSION, 0, 2, 0x05),
	FAULT(RDMAP_OPCODE, 0, 2, 0x06),
	FAULT(RDMAP_STREAM, 0, 2, 0x07),
	FAULT(RDMAP_UNSPECIFIED, 0, 2, 0xff),
	FAULT(DDP_LOCAL, 1, 0, 0x00),
	FAULT(DDP_STAG, 1, 1, 0x00),
	FAULT(DDP_BOUNDS, 1, 1, 0x01),
	FAULT(DDP_PD, 1, 1, 0x02),
	FAULT(DDP_WRAP, 1, 1, 0x03),
	FAULT(DDP_T_VERSION, 1, 1, 0x04),
	FAULT(DDP_QN, 1, 2, 0x01),
	FAULT(DDP_NO_BUFFER, 1, 2, 0x02),
	FAULT(DDP_MSN, 1, 2, 0x03),
	FAULT(DDP_MO, 1, 2, 0x04),
	FAULT(DDP_TOO_LONG, 1, 2, 0x05),
	FAULT(DDP_U_VERSION, 1, 2, 0x06),
	FAULT(MPA_LOST, 2, 0, 0x01),
	FAULT(MPA_CRC, 2, 0, 0x02),
	FAULT(MPA_MARKER, 2, 0, 0x03),
	FAULT(MPA_FRAME, 2, 0, 0x04),
	FAULT(MPA_LOCAL, 2, 0, 0x05),
	FAULT(MPA_IRD, 2, 0, 0x06),
	FAULT(MPA_RTR, 2, 0, 0x07),
};

KUNIT_ARRAY_PARAM_DESC(fault, fault_rows, name);

static void fault_code(struct kunit *test)
{
	const struct fault_row *row = test->param_value;
	struct siw_term term, back;
	u8 ulpdu[SIW_TERM_ULPDU_MAX];
	size_t n;

	siw_term_fill(&term, row->fault, NULL, 0, 0);
	KUNIT_EXPECT_EQ(test, row->layer, term.layer);
	KUNIT_EXPECT_EQ(test, row->etype, term.etype);
	KUNIT_EXPECT_EQ(test, row->code, term.code);

	n = siw_term_encode(ulpdu, &term);
	KUNIT_ASSERT_EQ(test, SIW_DDP_UNTAGGED_LEN + SIW_TERM_CTRL_LEN, n);
	siw_term_decode(&back, ulpdu + SIW_DDP_UNTAGGED_LEN,
			n - SIW_DDP_UNTAGGED_LEN);
	KUNIT_EXPECT_MEMEQ(test, &term, &back, sizeof(term));
	KUNIT_EXPECT_EQ(test, row->fault, siw_term_fault(&back));
}

static void fault_names(struct kunit *test)
{
	int a, b;

	KUNIT_EXPECT_EQ(test, SIW_FAULTS - 1, ARRAY_SIZE(fault_rows));
	for (a = 0; a < SIW_FAULTS; a++)
		for (b = 0; b < a; b++)
			KUNIT_EXPECT_STRNEQ(test, siw_fault_name(a),
					    siw_fault_name(b));
	KUNIT_EXPECT_STREQ(test, siw_fault_name(SIW_FAULT_RDMAP_UNSPECIFIED),
			   siw_fault_name(SIW_FAULTS));
}

/* What a receiver of any Terminate makes of it: a fault, never SIW_OK. */
static void fault_codes_unknown(struct kunit *test)
{
	struct siw_term term = {};
	int i, known = 0;

	for (i = 0; i < 16 * 16 * 256; i++) {
		enum siw_fault fault;

		term.layer = i >> 12;
		term.etype = i >> 8 & 15;
		term.code = i;
		fault = siw_term_fault(&term);
		KUNIT_ASSERT_NE(test, SIW_OK, fault);
		KUNIT_ASSERT_LT(test, fault, SIW_FAULTS);
		known += fault != SIW_FAULT_RDMAP_UNSPECIFIED;
	}
	/*
	 * All but one of the table, two aliases, MPA's with error type 3, and
	 * all codes of both local catastrophic errors.
	 */
	KUNIT_EXPECT_EQ(test, SIW_FAULTS - 2 + 2 + 7 + 2 * 255, known);
}

/* RFC 5040 section 4.8 has no word for a Terminate that says nothing. */
static void fault_code_missing(struct kunit *test)
{
	const u8 body[1] = { 0x11 };
	struct siw_term term;
	size_t n;

	for (n = 0; n <= sizeof(body); n++) {
		memset(&term, 0xee, sizeof(term));
		siw_term_decode(&term, body, n);
		KUNIT_EXPECT_EQ(test, SIW_LAYER_RDMAP, term.layer);
		KUNIT_EXPECT_EQ(test, 2, term.etype);
		KUNIT_EXPECT_EQ(test, 0xff, term.code);
		KUNIT_EXPECT_FALSE(test, term.m);
		KUNIT_EXPECT_EQ(test, 0, term.hdr_len);
		KUNIT_EXPECT_EQ(test, 0, term.read_len);
	}
}

#define IDLE	SIW_QP_IDLE
#define RTS	SIW_QP_RTS
#define CLOS	SIW_QP_CLOSING
#define TERM	SIW_QP_TERMINATE
#define ERR	SIW_QP_ERROR
#define REF	SIW_QP_REFUSED

/*
 * Columns: start, close, closed, peer closed, fault, Terminate sent, Terminate
 * received, lost, fail, reset.
 */
static const u8 next_states[SIW_QP_STATES][SIW_QP_EVENTS] = {
	[IDLE] = { RTS, IDLE, IDLE, ERR, TERM, REF, ERR, ERR, ERR, IDLE },
	[RTS] = { REF, CLOS, ERR, CLOS, TERM, REF, ERR, ERR, ERR, IDLE },
	[CLOS] = { REF, CLOS, ERR, CLOS, TERM, REF, ERR, ERR, ERR, IDLE },
	[TERM] = { REF, TERM, ERR, TERM, TERM, ERR, ERR, ERR, ERR, IDLE },
	[ERR] = { REF, ERR, ERR, ERR, ERR, ERR, ERR, ERR, ERR, IDLE },
};

static void qp_transitions(struct kunit *test)
{
	int state, ev;

	for (state = 0; state < SIW_QP_STATES; state++)
		for (ev = 0; ev < SIW_QP_EVENTS; ev++)
			KUNIT_EXPECT_EQ_MSG(test, next_states[state][ev],
					    siw_qp_next(state, ev),
					    "%s, event %d",
					    siw_qp_state_name(state), ev);
}

static void qp_states(struct kunit *test)
{
	int a, b;

	for (a = 0; a < SIW_QP_STATES; a++) {
		for (b = 0; b < a; b++)
			KUNIT_EXPECT_STRNEQ(test, siw_qp_state_name(a),
					    siw_qp_state_name(b));
	}
	KUNIT_EXPECT_STREQ(test, "REFUSED", siw_qp_state_name(REF));
}

/* Opcodes of the send queue */
struct sqe_row {
	const char *name;
	enum siw_opcode op;
	bool user;
	bool kernel;
	bool may_inline;
	u8 max_sge;
	u8 rdmap;
	u8 rdmap_se;
};

#define NONE	SIW_RDMAP_OPS		/* nothing goes over the wire */

static const struct sqe_row sqe_rows[] = {
	{ "WRITE", SIW_OP_WRITE, true, true, true, 6,
		SIW_RDMAP_WRITE, SIW_RDMAP_WRITE },
	{ "READ", SIW_OP_READ, true, true, false, 1,
		SIW_RDMAP_READ_REQ, SIW_RDMAP_READ_REQ },
	{ "READ_LOCAL_INV", SIW_OP_READ_LOCAL_INV, false, true, false, 1,
		SIW_RDMAP_READ_REQ, SIW_RDMAP_READ_REQ },
	{ "SEND", SIW_OP_SEND, true, true, true, 6,
		SIW_RDMAP_SEND, SIW_RDMAP_SEND_SE },
	{ "SEND_WITH_IMM", SIW_OP_SEND_WITH_IMM,
		false, false, false, 0, NONE, NONE },
	{ "SEND_REMOTE_INV", SIW_OP_SEND_REMOTE_INV, true, true, true, 6,
		SIW_RDMAP_SEND_INV, SIW_RDMAP_SEND_SE_INV },
	{ "FETCH_AND_ADD", SIW_OP_FETCH_AND_ADD,
		false, false, false, 0, NONE, NONE },
	{ "COMP_AND_SWAP", SIW_OP_COMP_AND_SWAP,
		false, false, false, 0, NONE, NONE },
	{ "RECEIVE", SIW_OP_RECEIVE, false, false, false, 0, NONE, NONE },
	{ "READ_RESPONSE", SIW_OP_READ_RESPONSE,
		false, false, false, 0, NONE, NONE },
	{ "INVAL_STAG", SIW_OP_INVAL_STAG, false, true, false, 0, NONE, NONE },
	{ "REG_MR", SIW_OP_REG_MR, false, true, false, 0, NONE, NONE },
};

KUNIT_ARRAY_PARAM_DESC(sqe, sqe_rows, name);

static bool is_taken(const struct siw_sqe *sqe, bool user)
{
	u32 len;

	return siw_ring_check_sqe(sqe, user, &len) == SIW_WC_SUCCESS;
}

static void sqe_opcode(struct kunit *test)
{
	const struct sqe_row *row = test->param_value;
	struct siw_sqe sqe = { .opcode = row->op, .flags = SIW_WQE_VALID };
	int n;

	KUNIT_EXPECT_EQ(test, row->user, is_taken(&sqe, true));
	KUNIT_EXPECT_EQ(test, row->kernel, is_taken(&sqe, false));
	KUNIT_EXPECT_EQ(test, row->rdmap, siw_ring_rdmap_op(&sqe));
	sqe.flags = SIW_WQE_VALID | SIW_WQE_INLINE;
	KUNIT_EXPECT_EQ(test, row->may_inline, is_taken(&sqe, false));
	sqe.flags = SIW_WQE_VALID | SIW_WQE_SOLICITED;
	KUNIT_EXPECT_EQ(test, row->rdmap_se, siw_ring_rdmap_op(&sqe));
	for (n = 0; n < 256; n++) {
		sqe.num_sge = n;
		KUNIT_EXPECT_EQ(test, row->kernel && n <= row->max_sge,
				is_taken(&sqe, false));
	}
}

static void sqe_opcodes_unknown(struct kunit *test)
{
	struct siw_sqe sqe = { .flags = SIW_WQE_VALID };
	int op;

	KUNIT_EXPECT_EQ(test, SIW_NUM_OPCODES, ARRAY_SIZE(sqe_rows));
	for (op = SIW_NUM_OPCODES; op < 256; op++) {
		sqe.opcode = op;
		KUNIT_EXPECT_FALSE(test, is_taken(&sqe, false));
		KUNIT_EXPECT_EQ(test, SIW_RDMAP_OPS, siw_ring_rdmap_op(&sqe));
	}
}

/* What forbids an access, and what a peer is told of it in either layer */
struct verdict_row {
	const char *name;
	enum siw_access verdict;
	enum siw_fault ddp;
	enum siw_fault rdmap;
};

static const struct verdict_row verdict_rows[] = {
	{ "OK", SIW_ACCESS_OK, SIW_OK, SIW_OK },
	{ "STAG", SIW_ACCESS_STAG, SIW_FAULT_DDP_STAG, SIW_FAULT_RDMAP_STAG },
	{ "PD", SIW_ACCESS_PD, SIW_FAULT_DDP_PD, SIW_FAULT_RDMAP_PD },
	{ "RIGHTS", SIW_ACCESS_RIGHTS,
		SIW_FAULT_RDMAP_ACCESS, SIW_FAULT_RDMAP_ACCESS },
	{ "WRAP", SIW_ACCESS_WRAP, SIW_FAULT_DDP_WRAP, SIW_FAULT_RDMAP_WRAP },
	{ "BOUNDS", SIW_ACCESS_BOUNDS,
		SIW_FAULT_DDP_BOUNDS, SIW_FAULT_RDMAP_BOUNDS },
};

KUNIT_ARRAY_PARAM_DESC(verdict, verdict_rows, name);

static void access_fault(struct kunit *test)
{
	const struct verdict_row *row = test->param_value;

	KUNIT_EXPECT_EQ(test, SIW_ACCESS_VERDICTS, ARRAY_SIZE(verdict_rows));
	KUNIT_EXPECT_EQ(test, row->ddp,
			siw_access_fault(row->verdict, SIW_LAYER_DDP));
	KUNIT_EXPECT_EQ(test, row->rdmap,
			siw_access_fault(row->verdict, SIW_LAYER_RDMAP));
}

static struct kunit_case table_cases[] = {
	KUNIT_CASE_PARAM(rdmap_opcode, op_gen_params),
	KUNIT_CASE(rdmap_opcodes_unassigned),
	KUNIT_CASE_PARAM(fault_code, fault_gen_params),
	KUNIT_CASE(fault_names),
	KUNIT_CASE(fault_codes_unknown),
	KUNIT_CASE(fault_code_missing),
	KUNIT_CASE(qp_transitions),
	KUNIT_CASE(qp_states),
	KUNIT_CASE_PARAM(sqe_opcode, sqe_gen_params),
	KUNIT_CASE(sqe_opcodes_unknown),
	KUNIT_CASE_PARAM(access_fault, verdict_gen_params),
	{}
};

static struct kunit_suite table_suite = {
	.name = "siw_tables",
	.test_cases = table_cases,
};

kunit_test_suite(table_suite);
