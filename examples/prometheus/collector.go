package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed79615202/respush/dispatch"
)

// stats holds the counts that one scrape reads.
type stats struct {
	processor dispatch.Stats
	queue     dispatch.QueueStats
}

const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue

// metrics has a metric for each count in stats.
var metrics = []struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*stats) uint64
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
	{desc("queue_waiting", "Pushes in the queue now."), gauge, func(s *stats) uint64 { return s.queue.Waiting }},
}

func desc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("respush_"+name, help, nil, nil)
}

// A collector is a prometheus.Collector of the stats that it returns. To
// register several, give each a label with prometheus.WrapRegistererWith.
type collector func() stats

// newCollector returns a collector of p and q. It does nothing between scrapes.
func newCollector(p *dispatch.Processor, q *dispatch.Queue) collector {
	return func() stats { return stats{p.Stats(), q.Stats()} }
}

// Describe sends the descriptions of the metrics.
func (c collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect sends the values of the metrics, all from one call of c.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := c()
	for _, m := range metrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, float64(m.value(&s)))
	}
}
