package bench_test

import (
	"bytes"
	"testing"

	"github.com/seed79615202/respush/parser"
)

// BenchmarkPassReplies passes over a little more than 64 KiB of replies of one
// kind, as a tap does when there is no push among them. impl=respush passes
// many at once, and impl=pass passes frame by frame.
func BenchmarkPassReplies(b *testing.B) {
	kinds := append(tapped[:len(tapped)-1:len(tapped)-1], []struct {
		name  string
		reply string
		push  []byte
	}{
		{"integer", ":1\r\n", nil},
		{"integer-10-digits", ":1234567890\r\n", nil},
		{"null", "_\r\n", nil},
		{"status-and-64B", "+OK\r\n" + bulk(64), nil},
		{"queued-and-64B", "+QUEUED\r\n" + bulk(64), nil},
		{"map", "%2\r\n" + bulk(3) + bulk(64) + bulk(4) + ":1\r\n", nil},
	}...)
	for _, k := range kinds {
		stream := bytes.Repeat([]byte(k.reply), 1+64<<10/len(k.reply))
		for _, impl := range []struct {
			name string
			pass func(s *parser.Scanner, p []byte) int
		}{
			{"respush", (*parser.Scanner).PassReplies},
			{"pass", passAll},
		} {
			b.Run("reply="+k.name+"/impl="+impl.name, func(b *testing.B) {
				var s parser.Scanner
				b.SetBytes(int64(len(stream)))
				b.ReportAllocs()
				for b.Loop() {
					n := impl.pass(&s, stream)
					for n < len(stream) { // the last reply may be left over
						k, _, err := s.Pass(stream[n:])
						if n += k; err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

// passAll passes over p frame by frame.
func passAll(s *parser.Scanner, p []byte) int {
	n := 0
	for n < len(p) {
		k, _, err := s.Pass(p[n:])
		if err != nil {
			panic(err)
		}
		n += k
	}
	return n
}
