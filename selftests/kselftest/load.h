/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
#ifndef SIW_KSFT_LOAD_H
#define SIW_KSFT_LOAD_H

#include <stdbool.h>
#include <sys/types.h>

#define LOAD_MAX 128

/*
 * @n connections that all talk, in a process of its own, until all are dead.
 * It ends well then; if @patient, it stays with all its objects.  To be
 * called before anything is opened: a child may not use its parent's devices.
 */
pid_t load_start(int n, bool patient);
void load_kill(pid_t pid);

#endif /* SIW_KSFT_LOAD_H */
