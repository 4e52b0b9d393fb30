# SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#
# Tests of siw, over the libraries of rdma-core: see README.

VERBS := $(shell pkg-config --libs libibverbs librdmacm 2>/dev/null)

ifneq ($(VERBS),)
TEST_PROGS := run.sh
TEST_FILES := topo.sh nvme.sh siw_kunit siw_encrypt
TEST_GEN_FILES := #TESTS#
else
$(warning siw: libibverbs or librdmacm is missing, its tests are left out)
endif

CFLAGS += -O2 -g -Wall
LDLIBS += $(VERBS) -lpthread
LOCAL_HDRS += chance.h harness.h load.h maps.h nldev.h rawpeer.h

include ../../lib.mk

$(TEST_GEN_FILES): harness.c rawpeer.c nldev.c
$(OUTPUT)/siw_life $(OUTPUT)/siw_limits: load.c
# These look at the mappings of the provider, so their mmap() comes first.
$(OUTPUT)/siw_ring $(OUTPUT)/siw_fuzz_ring: maps.c
$(OUTPUT)/siw_ring $(OUTPUT)/siw_fuzz_ring: LDFLAGS += -rdynamic
