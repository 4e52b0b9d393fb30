/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Chance that can be replayed: a generator, and how long a random test runs.
 */
#ifndef SIW_KSFT_CHANCE_H
#define SIW_KSFT_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* xorshift64*, after a step of splitmix64 so that near seeds differ */
struct rng {
	uint64_t state;
};

static inline void rng_seed(struct rng *r, uint64_t seed)
{
	uint64_t z = seed + 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	z ^= z >> 31;
	r->state = z ? z : 1;
}

static inline uint32_t rnd(struct rng *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1dull >> 32;
}

static inline uint64_t rnd64(struct rng *r)
{
	uint64_t hi = rnd(r);

	return hi << 32 | rnd(r);
}

/* 0 to @n - 1 */
static inline uint32_t below(struct rng *r, uint32_t n)
{
	return n ? rnd(r) % n : 0;
}

static inline bool chance(struct rng *r, unsigned int percent)
{
	return below(r, 100) < percent;
}

static inline unsigned int env_number(const char *name, unsigned int usual)
{
	const char *v = getenv(name);

	return v && *v ? strtoul(v, NULL, 0) : usual;
}

#endif /* SIW_KSFT_CHANCE_H */
