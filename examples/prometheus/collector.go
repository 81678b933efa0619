package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
)

// stats holds the counts that one scrape reads.
type stats struct {
	processor dispatch.Stats
	queue     dispatch.QueueStats
	feed      feed.Stats
	armed     bool
}

const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue

// metrics has a metric for each count in stats.
var metrics = []struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*stats) uint64 // not_armed_seconds_total is in nanoseconds
}{
	{desc("processor_pushes_total", "Pushes taken."), counter, func(s *stats) uint64 { return s.processor.Pushes }},
	{desc("processor_bytes_total", "Their bytes on the wire."), counter, func(s *stats) uint64 { return s.processor.Bytes }},
	{desc("processor_unhandled_total", "Pushes without a handler."), counter, func(s *stats) uint64 { return s.processor.Unhandled }},
	{desc("processor_errors_total", "Errors of handlers."), counter, func(s *stats) uint64 { return s.processor.Errors }},
	{desc("processor_panics_total", "Panics of handlers."), counter, func(s *stats) uint64 { return s.processor.Panics }},
	{desc("processor_oversize_total", "Pushes dropped for their size."), counter, func(s *stats) uint64 { return s.processor.Oversize }},
	{desc("processor_nested_total", "Pushes inside another frame."), counter, func(s *stats) uint64 { return s.processor.Nested }},
	{desc("queue_pushes_total", "Pushes given to the queue."), counter, func(s *stats) uint64 { return s.queue.Pushes }},
	{desc("queue_delivered_total", "Pushes given to the handler."), counter, func(s *stats) uint64 { return s.queue.Delivered }},
	{desc("queue_dropped_total", "Pushes lost."), counter, func(s *stats) uint64 { return s.queue.Dropped }},
	{desc("queue_coalesced_total", "Invalidations replaced by flushes."), counter, func(s *stats) uint64 { return s.queue.Coalesced }},
	{desc("queue_flushes_total", "Flushes delivered."), counter, func(s *stats) uint64 { return s.queue.Flushes }},
	{desc("queue_blocked_total", "Pushes that waited for room."), counter, func(s *stats) uint64 { return s.queue.Blocked }},
	{desc("queue_errors_total", "Errors of the handler."), counter, func(s *stats) uint64 { return s.queue.Errors }},
	{desc("queue_panics_total", "Panics of the handler."), counter, func(s *stats) uint64 { return s.queue.Panics }},
	{desc("feed_arms_total", "Times that the feed was armed."), counter, func(s *stats) uint64 { return s.feed.Arms }},
	{gaps("start"), counter, func(s *stats) uint64 { return s.feed.GapsStart }},
	{gaps("closed"), counter, func(s *stats) uint64 { return s.feed.GapsClosed }},
	{gaps("no_answer"), counter, func(s *stats) uint64 { return s.feed.GapsNoAnswer }},
	{gaps("queue_late"), counter, func(s *stats) uint64 { return s.feed.GapsQueueLate }},
	{gaps("role"), counter, func(s *stats) uint64 { return s.feed.GapsRole }},
	{gaps("stream"), counter, func(s *stats) uint64 { return s.feed.GapsStream }},
	{gaps("other"), counter, func(s *stats) uint64 { return s.feed.GapsOther }},
	{desc("feed_dials_total", "Connections tried."), counter, func(s *stats) uint64 { return s.feed.Dials }},
	{desc("feed_failures_total", "Connections that failed before they were armed."), counter, func(s *stats) uint64 { return s.feed.Failures }},
	{desc("feed_moves_total", "Connections replaced without a gap."), counter, func(s *stats) uint64 { return s.feed.Moves }},
	{desc("feed_probes_total", "Probes sent."), counter, func(s *stats) uint64 { return s.feed.Probes }},
	{desc("feed_answers_total", "Probes answered."), counter, func(s *stats) uint64 { return s.feed.Answers }},
	{notArmed, counter, func(s *stats) uint64 { return uint64(s.feed.NotArmed) }},
	{desc("feed_armed", "1 while the server reports every change."), gauge, func(s *stats) uint64 { return toInt(s.armed) }},
	{desc("queue_waiting", "Pushes in the queue now."), gauge, func(s *stats) uint64 { return s.queue.Waiting }},
}

func desc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("respush_"+name, help, nil, nil)
}

// gaps returns the description of a feed's gaps with one cause. The sum over all
// causes is the number of all gaps.
func gaps(cause string) *prometheus.Desc {
	return prometheus.NewDesc("respush_feed_gaps_total", "Times in which pushes may have been missed.", nil, prometheus.Labels{"cause": cause})
}

var notArmed = desc("feed_not_armed_seconds_total", "Time in which the feed was not armed.")

func toInt(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// A collector is a prometheus.Collector of the stats that it returns. To
// register several, give each a label with prometheus.WrapRegistererWith.
type collector func() stats

// newCollector returns a collector of p, q and f. It does nothing between scrapes.
func newCollector(p *dispatch.Processor, q *dispatch.Queue, f *feed.Feed) collector {
	return func() stats { return stats{p.Stats(), q.Stats(), f.Stats(), f.Coverage().Armed} }
}

// Describe sends the descriptions of the metrics.
func (c collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect sends the values of the metrics, all from one call of c.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := c()
	for _, m := range metrics {
		value := float64(m.value(&s))
		if m.desc == notArmed {
			value /= float64(time.Second)
		}
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, value)
	}
}
