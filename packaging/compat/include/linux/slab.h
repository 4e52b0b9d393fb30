/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/slab.h>

#ifndef SIWC_LINUX_SLAB_H
#define SIWC_LINUX_SLAB_H

#ifndef SIWC_HAVE_KZALLOC_OBJ
#include <linux/overflow.h>

/* The second of (nothing, GFP flags if given, GFP_KERNEL). */
#define siwc_second(a, b, ...) b
#define siwc_gfp(...) siwc_second(, ##__VA_ARGS__, GFP_KERNEL)

#define siwc_alloc_objs(ALLOC, GFP, TYPE, COUNT) \
	((TYPE *)ALLOC(size_mul(sizeof(TYPE), COUNT), GFP))
#define siwc_alloc_flex(ALLOC, GFP, TYPE, FAM, COUNT) \
	((TYPE *)ALLOC(struct_size((TYPE *)NULL, FAM, COUNT), GFP))

#define kmalloc_obj(P, ...) \
	siwc_alloc_objs(kmalloc, siwc_gfp(__VA_ARGS__), typeof(P), 1)
#define kmalloc_objs(P, COUNT, ...) \
	siwc_alloc_objs(kmalloc, siwc_gfp(__VA_ARGS__), typeof(P), COUNT)
#define kmalloc_flex(P, FAM, COUNT, ...) \
	siwc_alloc_flex(kmalloc, siwc_gfp(__VA_ARGS__), typeof(P), FAM, COUNT)

#define kzalloc_obj(P, ...) \
	siwc_alloc_objs(kzalloc, siwc_gfp(__VA_ARGS__), typeof(P), 1)
#define kzalloc_objs(P, COUNT, ...) \
	siwc_alloc_objs(kzalloc, siwc_gfp(__VA_ARGS__), typeof(P), COUNT)
#define kzalloc_flex(P, FAM, COUNT, ...) \
	siwc_alloc_flex(kzalloc, siwc_gfp(__VA_ARGS__), typeof(P), FAM, COUNT)

#define kvmalloc_obj(P, ...) \
	siwc_alloc_objs(kvmalloc, siwc_gfp(__VA_ARGS__), typeof(P), 1)
#define kvmalloc_objs(P, COUNT, ...) \
	siwc_alloc_objs(kvmalloc, siwc_gfp(__VA_ARGS__), typeof(P), COUNT)

#define kvzalloc_obj(P, ...) \
	siwc_alloc_objs(kvzalloc, siwc_gfp(__VA_ARGS__), typeof(P), 1)
#define kvzalloc_objs(P, COUNT, ...) \
	siwc_alloc_objs(kvzalloc, siwc_gfp(__VA_ARGS__), typeof(P), COUNT)
#define kvzalloc_flex(P, FAM, COUNT, ...) \
	siwc_alloc_flex(kvzalloc, siwc_gfp(__VA_ARGS__), typeof(P), FAM, COUNT)
#endif

#endif
