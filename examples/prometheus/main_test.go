package main

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"
)

// Each field of the Stats has a metric with its name and value.
func TestCollectorEqualsStats(t *testing.T) {
	var s stats
	c := collector(func() stats { return s })
	n := 0
	for part, fields := range map[string]any{"processor": &s.processor, "queue": &s.queue} {
		for v, i := reflect.ValueOf(fields).Elem(), 0; i < v.NumField(); i++ {
			n++
			v.Field(i).SetUint(uint64(n))
			name, kind := "respush_"+part+"_"+strings.ToLower(v.Type().Field(i).Name)+"_total", "counter"
			if name == "respush_queue_waiting_total" {
				name, kind = "respush_queue_waiting", "gauge"
			}
			text, err := testutil.CollectAndFormat(c, expfmt.TypeTextPlain, name)
			require.NoError(t, err)
			require.Contains(t, string(text), fmt.Sprintf("# TYPE %s %s\n%s %d\n", name, kind, name, n))
		}
	}
	require.Equal(t, n, testutil.CollectAndCount(c))
	problems, err := testutil.CollectAndLint(c)
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestProgramFeedsItself(t *testing.T) {
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &stdout))
	require.Regexp(t, fmt.Sprintf(`^http://127\.0\.0\.1:\d+/metrics\n(respush_\w+ \d+\n){%d}$`, len(metrics)), stdout.String())
	invalidations := growth * bursts * (bursts + 1) / 2
	require.Subset(t, strings.Split(stdout.String(), "\n"), []string{
		fmt.Sprint("respush_processor_pushes_total ", invalidations+bursts),
		fmt.Sprint("respush_processor_unhandled_total ", bursts),
		fmt.Sprint("respush_queue_pushes_total ", invalidations),
	})
}
