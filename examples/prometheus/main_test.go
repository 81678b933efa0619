package main

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"
)

// Each field of a Stats has a metric with its name and value.
func TestCollectorEqualsStats(t *testing.T) {
	var s stats
	c := collector(func() stats { return s })
	n := 0
	for part, fields := range map[string]any{"processor": &s.processor, "queue": &s.queue, "feed": &s.feed} {
		for v, i := reflect.ValueOf(fields).Elem(), 0; i < v.NumField(); i++ {
			field := v.Type().Field(i).Name
			if part == "feed" && field == "Gaps" {
				continue // the sum of the others
			}
			n++
			name, labels, kind := "respush_"+part+"_"+snake(field)+"_total", "", "counter"
			cause, isGap := strings.CutPrefix(field, "Gaps")
			switch {
			case field == "Waiting":
				name, kind = "respush_queue_waiting", "gauge"
			case field == "NotArmed":
				name = "respush_feed_not_armed_seconds_total"
			case isGap:
				name, labels = "respush_feed_gaps_total", fmt.Sprintf("{cause=%q}", snake(cause))
			}
			if f := v.Field(i); f.CanUint() {
				f.SetUint(uint64(n))
			} else {
				f.SetInt(int64(n) * int64(time.Second))
			}
			text, err := testutil.CollectAndFormat(c, expfmt.TypeTextPlain, name)
			require.NoError(t, err)
			require.Contains(t, string(text), fmt.Sprintf("# TYPE %s %s\n", name, kind))
			require.Contains(t, string(text), fmt.Sprintf("\n%s%s %d\n", name, labels, n))
		}
	}
	s.armed = true
	text, err := testutil.CollectAndFormat(c, expfmt.TypeTextPlain, "respush_feed_armed")
	require.NoError(t, err)
	require.Contains(t, string(text), "# TYPE respush_feed_armed gauge\nrespush_feed_armed 1\n")
	n++
	require.Equal(t, n, testutil.CollectAndCount(c))
	problems, err := testutil.CollectAndLint(c)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// snake returns a field's name in snake case, as in metrics.
func snake(field string) string {
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(field, "${1}_$2"))
}

func TestProgramFeedsItself(t *testing.T) {
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &stdout))
	require.Regexp(t, fmt.Sprintf(`^http://127\.0\.0\.1:\d+/metrics\n(respush_\w+(\{cause="\w+"\})? \S+\n){%d}$`, len(metrics)), stdout.String())
	const flushes = 3 // of the Feed: when the first gap begins, when it ends, and when the second begins
	invalidations := growth * bursts * (bursts + 1) / 2
	require.Subset(t, strings.Split(stdout.String(), "\n"), []string{
		fmt.Sprint("respush_processor_pushes_total ", invalidations+bursts+flushes),
		fmt.Sprint("respush_processor_unhandled_total ", bursts),
		fmt.Sprint("respush_queue_pushes_total ", invalidations+flushes),
		"respush_feed_arms_total 1",
		`respush_feed_gaps_total{cause="start"} 1`,
		`respush_feed_gaps_total{cause="closed"} 1`,
		"respush_feed_armed 0",
	})
}
