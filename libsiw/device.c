// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Devices and contexts of the siw provider: software iWARP.
 */
#include <errno.h>
#include <stdlib.h>

#include "siw.h"

/* Extensions we make use of when the driver grants them */
#define FEATURES	SIW_EXT_QP_CTRL

static int get_plain_context(struct siw_context *ctx)
{
	struct siw_alloc_ctx_resp resp = {};
	struct ibv_get_context cmd = {};

	return ibv_cmd_get_context(&ctx->base, &cmd, sizeof(cmd), NULL,
				   &resp.ibv_resp, sizeof(resp));
}

/* See siw-ext-abi.h: a driver may refuse the request, or not look at it. */
static int get_context(struct siw_context *ctx)
{
	struct siw_alloc_ctx_ext_resp resp = {};
	struct siw_alloc_ctx_ext cmd = {};
	int err;

	cmd.drv_payload.features = FEATURES;
	err = ibv_cmd_get_context(&ctx->base, &cmd.ibv_cmd, sizeof(cmd), NULL,
				  &resp.ibv_resp, sizeof(resp));
	if (err == EINVAL || err == EOPNOTSUPP)
		return get_plain_context(ctx);
	if (!err)
		ctx->features = resp.drv_payload.features & FEATURES;
	return err;
}

static struct verbs_context *siw_alloc_context(struct ibv_device *device,
					       int cmd_fd, void *private_data)
{
	struct siw_context *ctx;
	int err;

	ctx = verbs_init_and_alloc_context(device, cmd_fd, ctx, base,
					   RDMA_DRIVER_SIW);
	if (!ctx)
		return NULL;
	err = get_context(ctx);
	if (err) {
		verbs_uninit_context(&ctx->base);
		free(ctx);
		errno = err;
		return NULL;
	}
	verbs_set_ops(&ctx->base, &siw_context_ops);
	ctx->poller = siw_poller_begin(siw_poller_usec(getenv("SIW_POLL_USEC")),
				       siw_ring_for_poller);
	return &ctx->base;
}

static struct verbs_device *siw_alloc_device(struct verbs_sysfs_dev *sysfs_dev)
{
	return calloc(1, sizeof(struct verbs_device));
}

static void siw_uninit_device(struct verbs_device *device)
{
	free(device);
}

static const struct verbs_match_ent siw_match_table[] = {
	VERBS_DRIVER_ID(RDMA_DRIVER_SIW),
	{},
};

static const struct verbs_device_ops siw_device_ops = {
	.name = "siw",
	.match_min_abi_version = SIW_ABI_VERSION,
	.match_max_abi_version = SIW_ABI_VERSION,
	.match_table = siw_match_table,
	.alloc_device = siw_alloc_device,
	.uninit_device = siw_uninit_device,
	.alloc_context = siw_alloc_context,
};

PROVIDER_DRIVER(siw, siw_device_ops);
