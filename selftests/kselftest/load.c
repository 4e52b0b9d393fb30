// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "harness.h"
#include "load.h"

static bool dead[LOAD_MAX];
static bool talks[LOAD_MAX];

static void talk(struct pair *p, int i)
{
	struct side *s[2] = { &p->a, &p->b };
	struct ibv_wc wc;
	int k;

	for (k = 0; k < 2; k++) {
		while (ibv_poll_cq(s[k]->scq, 1, &wc) == 1) {
			if (wc.status)
				dead[i] = true;
			else
				talks[i] = true;
		}
		while (ibv_poll_cq(s[k]->rcq, 1, &wc) == 1) {
			if (wc.status)
				dead[i] = true;
			else
				try_recv(s[k], 0, 0, 4096);
		}
		try_post(s[k], &(struct wr){ .op = IBV_WR_SEND, .len = 4000 });
		try_post(s[k], &(struct wr){
			.op = IBV_WR_RDMA_WRITE, .len = 16000, .off = 8192,
			.raddr = at(s[!k], 32768), .rkey = s[!k]->mr->rkey });
		try_post(s[k], &(struct wr){
			.op = IBV_WR_RDMA_READ, .len = 16000, .off = 16384,
			.raddr = at(s[!k], 32768), .rkey = s[!k]->mr->rkey });
	}
}

pid_t load_start(int n, bool patient)
{
	const struct rlimit files = { 4096, 4096 };
	static struct pair p[LOAD_MAX];
	int i, k, alive;
	uint64_t end;
	int up[2];
	pid_t pid;
	char c;

	ASSERT(!pipe(up), "pipe");
	fflush(stdout);
	pid = fork();
	ASSERT(pid >= 0, "fork");
	if (pid) {
		close(up[1]);
		ASSERT(read(up[0], &c, 1) == 1, "the load did not come up");
		close(up[0]);
		return pid;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	for (i = 0; i < n; i++) {
		pair_open(&p[i], NULL);
		for (k = 0; k < 16; k++) {
			recv_at(&p[i].a, 0, 0, 4096);
			recv_at(&p[i].b, 0, 0, 4096);
		}
	}
	end = deadline(10000);
	for (i = 0; i < n; i++) {
		while (!talks[i] && !passed(end))
			talk(&p[i], i);
		ASSERT(talks[i] && !dead[i], "connection %d says nothing", i);
	}
	ASSERT(write(up[1], "u", 1) == 1, "pipe");
	do {
		alive = 0;
		for (i = 0; i < n; i++) {
			if (dead[i])
				continue;
			talk(&p[i], i);
			alive++;
		}
	} while (alive);
	if (patient)
		pause();
	_exit(0);
}

void load_kill(pid_t pid)
{
	uint64_t start = now_ms();
	int status;

	kill(pid, SIGKILL);
	ASSERT(waitpid(pid, &status, 0) == pid, "waitpid");
	EXPECT(now_ms() - start < slow(10000), "the exit took %llu ms",
	       (unsigned long long)(now_ms() - start));
}
