/* SPDX-License-Identifier: GPL-2.0 */
#include_next <rdma/uverbs_ioctl.h>

#ifndef SIWC_RDMA_UVERBS_IOCTL_H
#define SIWC_RDMA_UVERBS_IOCTL_H

#ifndef SIWC_HAVE_IB_UDATA_HELPERS
int siwc_copy_validate_udata_in(struct ib_udata *udata, void *req,
				size_t kernel_size, size_t minimum_size);
int siwc_respond_udata(struct ib_udata *udata, const void *src, size_t len);
int siwc_respond_empty_udata(struct ib_udata *udata);

#define ib_copy_validate_udata_in(_udata, _req, _end_member)		\
	siwc_copy_validate_udata_in(_udata, &(_req), sizeof(_req),	\
				    offsetofend(typeof(_req), _end_member))

#define ib_copy_validate_udata_in_cm(_udata, _req, _end_member, _valid_cm) \
	({								\
		int siwc_err = ib_copy_validate_udata_in(_udata, _req,	\
							 _end_member);	\
		if (!siwc_err && ((_req).comp_mask & ~(_valid_cm)))	\
			siwc_err = -EOPNOTSUPP;				\
		siwc_err;						\
	})

#define ib_respond_udata(_udata, _rep) \
	siwc_respond_udata(_udata, &(_rep), sizeof(_rep))

#define ib_respond_empty_udata siwc_respond_empty_udata

static inline int ib_is_udata_in_empty(struct ib_udata *udata)
{
	if (!udata || !udata->inlen)
		return 0;
	return siwc_copy_validate_udata_in(udata, NULL, 0, 0);
}
#endif

#ifndef SIWC_HAVE_IB_NO_UDATA_IO
static inline int ib_no_udata_io(struct ib_udata *udata)
{
	int err = ib_is_udata_in_empty(udata);

	return err ? err : ib_respond_empty_udata(udata);
}
#endif

#endif
