//go:build linux

package main

import "github.com/HdrHistogram/hdrhistogram-go"

// A recorder takes the text of each push from a client's handlers. It belongs
// to the goroutine that reads.
//
// Invariant: done is closed when the last push has come, and no field changes
// after that.
type recorder struct {
	clock   clock
	latency *hdrhistogram.Histogram // nil if the recorder only counts
	pushes  int
	size    int // total bytes of the texts
	done    chan struct{}
}

func newRecorder(j job) *recorder {
	r := &recorder{clock: newClock(j.Epoch), done: make(chan struct{})}
	if j.Paced {
		r.latency = hdrhistogram.New(1000, int64(patience), 3) // from 1 us
	}
	return r
}

// record takes the text of a push.
func record[T string | []byte](r *recorder, text T) {
	if text[0] == endMark {
		close(r.done)
		return
	}
	r.pushes++
	r.size += len(text)
	if r.latency != nil {
		if sent, ok := number(text); ok {
			_ = r.latency.RecordValue(r.clock.now() - sent) // its range covers every wait within patience
		}
	}
}
