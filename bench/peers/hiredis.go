//go:build hiredis && cgo

package peers

/*
#cgo CFLAGS: -O2
#cgo LDFLAGS: -lhiredis
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <hiredis/hiredis.h>

typedef struct handler {
	const char *name;
	size_t len;
	void (*handle)(struct handler *h, const redisReply *push);
	long long calls;
} handler;

static long long elements;

// look reads all elements of an aggregate, from the i-th on.
static long long look(const redisReply *r, size_t i) {
	long long sum = 0;
	for (; i < r->elements; i++) {
		const redisReply *e = r->element[i];
		switch (e->type) {
		case REDIS_REPLY_STRING:
			sum += e->len;
			break;
		case REDIS_REPLY_INTEGER:
			sum += e->integer;
			break;
		case REDIS_REPLY_ARRAY:
			sum += look(e, 0);
		}
	}
	return sum;
}

static void read_push(handler *h, const redisReply *push) {
	h->calls++;
	elements += look(push, 1);
}

static handler handlers[] = {
	{"invalidate", 10, read_push, 0},
	{"message", 7, read_push, 0},
	{"MOVING", 6, read_push, 0},
};

enum { HANDLERS = sizeof handlers / sizeof *handlers };

static handler *lookup(const char *name, size_t len) {
	for (int i = 0; i < HANDLERS; i++)
		if (handlers[i].len == len && memcmp(handlers[i].name, name, len) == 0)
			return &handlers[i];
	return NULL;
}

static long long calls(int i) { return handlers[i].calls; }
static long long looked(void) { return elements; }

static int may_be_push(const redisReply *r) {
#ifdef REDIS_REPLY_PUSH
	return r->type == REDIS_REPLY_PUSH;
#else
	return r->type == REDIS_REPLY_ARRAY;
#endif
}

static int knows_resp3(void) {
#ifdef REDIS_REPLY_PUSH
	return 1;
#else
	return 0;
#endif
}

// feed gives the reader a piece of the stream and handles the complete pushes.
static int feed(redisReader *rd, const uint8_t *p, size_t n) {
	if (redisReaderFeed(rd, (const char *)p, n) != REDIS_OK)
		return REDIS_ERR;
	for (;;) {
		void *reply = NULL;
		if (redisReaderGetReply(rd, &reply) != REDIS_OK)
			return REDIS_ERR;
		if (reply == NULL)
			return REDIS_OK;
		const redisReply *r = reply;
		if (may_be_push(r) && r->elements > 0 && r->element[0]->type == REDIS_REPLY_STRING) {
			handler *h = lookup(r->element[0]->str, r->element[0]->len);
			if (h != NULL)
				h->handle(h, r);
		}
		freeReplyObject(reply);
	}
}
*/
import "C"

import (
	"errors"
	"fmt"
	"io"

	"github.com/seed79615202/respush/internal/test/workload"
)

// hiredisPeers is hiredis with its own reply objects. If the library is not
// where the compiler looks for it, set CGO_CFLAGS=-I... and CGO_LDFLAGS=-L....
// The library of Debian 12 is older than RESP3.
var hiredisPeers = []Peer{{
	Name:    "hiredis",
	Note:    "C, " + hiredisDialect() + "; fed 16 KiB at a time, the size of its own buffer; its allocations are C's and not counted",
	C:       true,
	Open:    openHiredis,
	version: fmt.Sprintf("%d.%d.%d", int(C.HIREDIS_MAJOR), int(C.HIREDIS_MINOR), int(C.HIREDIS_PATCH)),
}}

func hiredisDialect() string {
	if hiredisRESP3 {
		return "RESP3"
	}
	return "RESP2, so a push is an array"
}

// hiredisRESP3 reports whether the library supports pushes, as versions from
// 1.0 on do.
var hiredisRESP3 = C.knows_resp3() != 0

// hiredisFeed is the size of the buffer with which hiredis reads from a socket.
const hiredisFeed = 16 << 10

func openHiredis(sc Scene) (*Run, error) {
	if !hiredisRESP3 {
		var err error
		if sc.Workload, err = inRESP2(sc.Workload); err != nil {
			return nil, err
		}
	}
	rd := C.redisReaderCreate()
	if rd == nil {
		return nil, errors.New("peers: hiredis is out of memory")
	}
	buf := make([]byte, hiredisFeed)
	tally := new(Tally)
	run := newRun(sc, tally, func(s *workload.Stream) error {
		var before Tally
		for i := range before.Pushes {
			before.Pushes[i] = int(C.calls(C.int(i)))
		}
		before.Elements = int(C.looked())
		for {
			n, err := s.Read(buf)
			if err == io.EOF {
				break
			}
			if C.feed(rd, (*C.uint8_t)(&buf[0]), C.size_t(n)) != C.REDIS_OK {
				return fmt.Errorf("peers: hiredis: %s", C.GoString(&rd.errstr[0]))
			}
		}
		for i := range before.Pushes {
			tally.Pushes[i] += int(C.calls(C.int(i))) - before.Pushes[i]
		}
		tally.Elements += int(C.looked()) - before.Elements
		return nil
	})
	run.Close = func() { C.redisReaderFree(rd) }
	return run, nil
}
