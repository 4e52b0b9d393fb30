/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/module.h>

#ifndef SIWC_LINUX_MODULE_H
#define SIWC_LINUX_MODULE_H

/*
 * Where the core does not turn netdev events into port events the shim does,
 * and needs a life around the driver's own.
 */
#ifndef SIWC_HAVE_CORE_PORT_EVENTS
int siwc_init(void);
void siwc_exit(void);

/* Before 5.14 nothing drops what only the loader refers to. */
#ifndef ___ADDRESSABLE
#define ___ADDRESSABLE(symbol, attributes) extern typeof(symbol) symbol
#endif

#undef module_init
#define module_init(initfn)						\
	int __init init_module(void)					\
	{								\
		int err = siwc_init();					\
									\
		if (err)						\
			return err;					\
		err = initfn();						\
		if (err)						\
			siwc_exit();					\
		return err;						\
	}								\
	___ADDRESSABLE(init_module, __initdata)

#undef module_exit
#define module_exit(exitfn)						\
	void __exit cleanup_module(void)				\
	{								\
		exitfn();						\
		siwc_exit();						\
	}								\
	___ADDRESSABLE(cleanup_module, __exitdata)
#endif

#endif
