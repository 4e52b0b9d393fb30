// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The polling thread of a context: whoever posts hands it the bell, which takes
 * no system call unless the thread sleeps.
 *
 * Bells that are to be rung are a list to which anybody adds, without a lock,
 * and which the thread takes as a whole.  While there are some it rings; then
 * it looks for more for a while, and then it sleeps until it is woken.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "poll.h"

/* The longest that it may look for more */
#define MAX_USEC	1000000

/* So often it looks before it asks for the time. */
#define ROUNDS		128

/**
 * struct siw_poller - a thread and the bells that it has to ring
 * @first: the list
 * @ringing: the bell that is just being rung
 * @ring: how; called by the thread
 * @usec: so long it looks for more
 * @sleeps: who sets it to false has to post @woken
 * @end: no more bells will come
 * @woken: the thread sleeps on it
 * @pid: the process that has the thread
 * @thread: the thread
 */
struct siw_poller {
	struct siw_bell *first;
	struct siw_bell *ringing;
	void (*ring)(struct siw_bell *bell);
	unsigned int usec;
	bool sleeps;
	bool end;
	sem_t woken;
	pid_t pid;
	pthread_t thread;
};

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__asm__ volatile("pause" ::: "memory");
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#endif
}

static bool has_ended(const struct siw_poller *poller)
{
	return __atomic_load_n(&poller->end, __ATOMIC_SEQ_CST);
}

/* Return: false if there was none. */
static bool ring_all(struct siw_poller *poller)
{
	struct siw_bell *bell, *next;

	if (!__atomic_load_n(&poller->first, __ATOMIC_RELAXED))
		return false;
	/* Pairs with siw_poller_push(): the bells' @next are there first. */
	bell = __atomic_exchange_n(&poller->first, NULL, __ATOMIC_ACQUIRE);
	for (; bell; bell = next) {
		next = bell->next;
		__atomic_store_n(&poller->ringing, bell, __ATOMIC_RELAXED);
		/*
		 * Who posts from here on adds the bell again.  What was posted
		 * before is there when it is rung: pairs with the exchange of
		 * siw_poller_push(), and for @ringing with siw_poller_wait().
		 */
		(void)__atomic_exchange_n(&bell->pending, false,
					  __ATOMIC_ACQ_REL);
		poller->ring(bell);
		/* It may be gone now: pairs with siw_poller_wait(). */
		__atomic_store_n(&poller->ringing, NULL, __ATOMIC_RELEASE);
	}
	return true;
}

/* Return: false if there was none for so long that it is time to sleep. */
static bool spin(struct siw_poller *poller)
{
	uint64_t end = now_usec() + poller->usec;
	int i;

	do {
		for (i = 0; i < ROUNDS; i++) {
			if (ring_all(poller))
				return true;
			relax();
		}
		/* Those who post may be waiting for this very CPU. */
		sched_yield();
	} while (now_usec() < end && !has_ended(poller));
	return false;
}

/*
 * First we say that we sleep and then look once more; the others first do what
 * we look for, and then ask whether we sleep.  All four are sequentially
 * consistent, so one side sees the other.
 */
static void sleep_till_woken(struct siw_poller *poller)
{
	__atomic_store_n(&poller->sleeps, true, __ATOMIC_SEQ_CST);
	if ((__atomic_load_n(&poller->first, __ATOMIC_SEQ_CST) ||
	     has_ended(poller)) &&
	    __atomic_exchange_n(&poller->sleeps, false, __ATOMIC_SEQ_CST))
		return;
	while (sem_wait(&poller->woken))
		;
}

static void wake(struct siw_poller *poller)
{
	if (__atomic_load_n(&poller->sleeps, __ATOMIC_SEQ_CST) &&
	    __atomic_exchange_n(&poller->sleeps, false, __ATOMIC_SEQ_CST))
		sem_post(&poller->woken);
}

static void *run(void *arg)
{
	struct siw_poller *poller = arg;

	pthread_setname_np(pthread_self(), "siw-poll");
	while (!has_ended(poller)) {
		sleep_till_woken(poller);
		while (spin(poller))
			;
	}
	ring_all(poller);
	return NULL;
}

/**
 * siw_poller_usec() - how long to look for more, as the user says it
 * @text: value of the environment variable, NULL if there is none
 *
 * Return: 0, for no poller, unless it is a whole number from 1 to MAX_USEC.
 */
unsigned int siw_poller_usec(const char *text)
{
	unsigned long usec;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	usec = strtoul(text, &end, 10);
	return *end || usec > MAX_USEC ? 0 : usec;
}

/**
 * siw_poller_begin() - start a poller
 * @usec: how long it looks for more before it sleeps
 * @ring: rings a bell; the thread calls it, and nobody else
 *
 * Return: NULL if @usec is 0 or there is no thread to be had.
 */
struct siw_poller *siw_poller_begin(unsigned int usec,
				    void (*ring)(struct siw_bell *bell))
{
	struct siw_poller *poller;
	sigset_t all, before;
	int err;

	if (!usec)
		return NULL;
	poller = calloc(1, sizeof(*poller));
	if (!poller)
		return NULL;
	poller->ring = ring;
	poller->usec = usec;
	poller->pid = getpid();
	sem_init(&poller->woken, 0, 0);
	/* The program's signals are for the program's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&poller->thread, NULL, run, poller);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		return poller;
	sem_destroy(&poller->woken);
	free(poller);
	return NULL;
}

/**
 * siw_poller_push() - have a bell rung
 * @poller: who rings it
 * @bell: the bell
 *
 * What the caller has done before is there when the bell is rung the next time.
 * One system call if the thread has to be woken, else none.
 */
void siw_poller_push(struct siw_poller *poller, struct siw_bell *bell)
{
	struct siw_bell *first;

	/* Pairs with the exchange of ring_all(). */
	if (__atomic_exchange_n(&bell->pending, true, __ATOMIC_ACQ_REL))
		return;
	first = __atomic_load_n(&poller->first, __ATOMIC_RELAXED);
	/* No ABA problem: the list is taken as a whole, never one of it. */
	do {
		bell->next = first;
	} while (!__atomic_compare_exchange_n(&poller->first, &first, bell,
					      true, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	wake(poller);
}

/**
 * siw_poller_wait() - wait until the thread is through with a bell
 * @poller: who rings it
 * @bell: the bell; nobody pushes it any more
 *
 * Not for long: the thread is awake, and takes the bells in turn.
 */
void siw_poller_wait(struct siw_poller *poller, struct siw_bell *bell)
{
	/* After a fork() there is no thread, and nobody to wait for. */
	if (poller->pid != getpid())
		return;
	/* Both pair with ring_all(). */
	while (__atomic_load_n(&bell->pending, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&poller->ringing, __ATOMIC_ACQUIRE) == bell)
		usleep(10);
}

/**
 * siw_poller_end() - end a poller
 * @poller: the poller, or NULL
 *
 * Nobody pushes any more; what was pushed is rung before.
 */
void siw_poller_end(struct siw_poller *poller)
{
	if (!poller)
		return;
	if (poller->pid == getpid()) {
		__atomic_store_n(&poller->end, true, __ATOMIC_SEQ_CST);
		wake(poller);
		pthread_join(poller->thread, NULL);
	}
	sem_destroy(&poller->woken);
	free(poller);
}
