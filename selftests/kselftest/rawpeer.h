/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * An iWARP peer made by hand over an ordinary TCP socket, to say what no
 * decent peer would.  It keeps nothing but the socket and the position in the
 * stream: each octet it sends is the test's.
 */
#ifndef SIW_KSFT_RAWPEER_H
#define SIW_KSFT_RAWPEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness.h"

/* Start-up flags, RFC 5044 section 7.1, RFC 6581 section 9 */
#define MPA_M 0x80
#define MPA_C 0x40
#define MPA_R 0x20
#define MPA_S 0x10

/* Enhanced start-up data */
#define MPA_A 0x80000000u	/* peer-to-peer */
#define MPA_RTR_SEND 0x40000000u
#define MPA_RTR_WRITE 0x00008000u
#define MPA_RTR_READ 0x00004000u
#define MPA_ENHANCED(ird, ord) ((uint32_t)(ird) << 16 | (uint32_t)(ord))
#define MPA_IRD(word) ((word) >> 16 & 0x3fff)
#define MPA_ORD(word) ((word) & 0x3fff)

/* DDP and RDMAP control octets of a last segment */
#define CTL_WRITE 0xc140
#define CTL_RREQ 0x4141
#define CTL_RRSP 0xc142
#define CTL_SEND 0x4143
#define CTL_SEND_INV 0x4144
#define CTL_SEND_SE 0x4145
#define CTL_TERM 0x4147
#define CTL_LAST 0x4000

#define FPDU_MAX (2 + 65535 + 3 + 4)

/**
 * struct raw - the raw end of a connection
 * @fd: TCP socket
 * @crc: put and check CRCs
 * @markers: the driver was told to put Markers into what it sends
 * @pos: octets received in full operation
 * @nmarkers: Markers seen
 */
struct raw {
	int fd;
	bool crc;
	bool markers;
	uint64_t pos;
	unsigned int nmarkers;
};

/**
 * struct mpa - a start-up frame as received
 * @key_ok: it is a Request or Reply as wanted
 * @flags: octet 16
 * @rev: octet 17
 * @len: PD_Length
 * @pd: private data, with enhanced data if any
 */
struct mpa {
	bool key_ok;
	uint8_t flags;
	uint8_t rev;
	uint16_t len;
	uint8_t pd[512];
};

/**
 * struct fpdu - an FPDU as received
 * @len: ULPDU_Length
 * @crc_ok: its CRC is right
 * @markers_ok: its Markers point where they should
 * @pad_ok: its PAD is zero
 * @ulpdu: its octets
 */
struct fpdu {
	uint16_t len;
	bool crc_ok;
	bool markers_ok;
	bool pad_ok;
	uint8_t ulpdu[65536];
};

uint32_t crc32c(uint32_t crc, const void *data, size_t len);
uint16_t get16(const uint8_t *p);
uint32_t get32(const uint8_t *p);
uint64_t get64(const uint8_t *p);
void put16(uint8_t *p, uint16_t v);
void put32(uint8_t *p, uint32_t v);
void put64(uint8_t *p, uint64_t v);

void raw_dial(struct raw *r, const char *ns, const char *ip, uint16_t port);
int raw_listen(const char *ns, const char *ip, uint16_t port);
bool raw_accept(struct raw *r, int lfd, unsigned int ms);
bool raw_put(struct raw *r, const void *data, size_t len);
size_t raw_get(struct raw *r, void *data, size_t len, unsigned int ms);
void raw_close(struct raw *r);
void raw_reset(struct raw *r);

/* How the driver ended the stream. */
enum raw_end { RAW_OPEN, RAW_FIN, RAW_RST };
enum raw_end raw_end(struct raw *r, unsigned int ms);	/* reads to the end */

size_t mpa_make(uint8_t *out, bool reply, uint8_t flags, uint8_t rev,
		const void *pd, uint16_t len);
bool mpa_read(struct raw *r, struct mpa *m, bool reply, unsigned int ms);

size_t ddp_untagged(uint8_t *out, uint16_t ctl, uint32_t inv, uint32_t qn,
		    uint32_t msn, uint32_t mo, const void *data, size_t len);
size_t ddp_tagged(uint8_t *out, uint16_t ctl, uint32_t stag, uint64_t to,
		  const void *data, size_t len);
size_t rdmap_rreq(uint8_t *out, uint32_t msn, uint32_t sink_stag,
		  uint64_t sink_to, uint32_t size, uint32_t src_stag,
		  uint64_t src_to);
size_t fpdu_make(uint8_t *out, const uint8_t *ulpdu, size_t len);
bool fpdu_put(struct raw *r, const uint8_t *ulpdu, size_t len);
bool fpdu_read(struct raw *r, struct fpdu *f, unsigned int ms);
void dump(const char *what, const uint8_t *p, size_t n);

/**
 * struct wire - a raw peer in sa and the driver in sb
 * @r: the raw end
 * @s: the driver's end
 * @rep: the start-up frame that the driver sent
 * @port: TCP port of the passive end
 * @lfd: listening socket, if the raw end is passive
 */
struct wire {
	struct raw r;
	struct side s;
	struct mpa rep;
	uint16_t port;
	int lfd;
};

/* The driver is the responder: */
void wire_listen(struct wire *w, const struct opts *o);
void wire_dial(struct wire *w);
void wire_request(struct wire *w, uint8_t flags, uint8_t rev, const void *pd,
		  uint16_t len);
void wire_accept(struct wire *w);
void wire_up(struct wire *w, const struct opts *o);	/* all of these */
void wire_first(struct wire *w);	/* an empty Write */
void wire_full(struct wire *w);		/* that, and ESTABLISHED */

/* The driver is the initiator, of a connection to @lfd if there is one: */
void wire_connect(struct wire *w, const struct opts *o);
void wire_reply(struct wire *w, uint8_t flags, uint8_t rev, const void *pd,
		uint16_t len);
void wire_reply_well(struct wire *w);

void wire_close(struct wire *w);

/*
 * Octet for octet: @word is layer and type, code, M D R, 0; @ulpdu is the
 * segment complained about.
 */
#define WANT_TERM(w, word, ulpdu, len) \
	wire_wants_term(__FILE__, __LINE__, w, word, ulpdu, len)
bool wire_wants_term(const char *file, int line, struct wire *w, uint32_t word,
		     const uint8_t *ulpdu, size_t len);

#endif /* SIW_KSFT_RAWPEER_H */
