package jsonline_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/jsonline"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/parser"
)

var at = time.Date(2024, 5, 4, 10, 20, 30, 123456789, time.UTC)

func encode(t *testing.T, frame parser.Frame) string {
	t.Helper()
	return string(jsonline.Push(nil, at, jsonline.Peer{}, frame))
}

func TestPushIsALineOfItsElements(t *testing.T) {
	const begin = `{"time":"2024-05-04T10:20:30.123456789Z",`
	for _, test := range []struct{ name, wire, want string }{
		{"invalidate", ">2\r\n$10\r\ninvalidate\r\n*1\r\n$6\r\nuser:1\r\n", `"name":"invalidate","bytes":37,"args":[["user:1"]]}`},
		{"flush", ">2\r\n$10\r\ninvalidate\r\n_\r\n", `"name":"invalidate","bytes":24,"args":[null]}`},
		{"old null", ">2\r\n$10\r\ninvalidate\r\n*-1\r\n", `"name":"invalidate","bytes":26,"args":[null]}`},
		{"binary", ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$3\r\n\x00\xff\n\r\n", `"name":"message","bytes":33,"args":["c",{"base64":"AP8K"}]}`},
		{"binary name", ">1\r\n$1\r\n\xff\r\n", `"name":{"base64":"/w=="},"bytes":11,"args":[]}`},
		{"markup", ">2\r\n+x\r\n+<a>&\u2028\r\n", `"name":"x","bytes":18,"args":["<a>&\u2028"]}`},
		{"numbers", ">6\r\n+x\r\n:-9223372036854775808\r\n:+007\r\n(12345678901234567890123\r\n,1.5\r\n,-0.25e3\r\n",
			`"name":"x","bytes":80,"args":[-9223372036854775808,7,12345678901234567890123,1.5,-250]}`},
		{"odd texts", ">9\r\n+x\r\n:1 2\r\n(\r\n(NaN\r\n,0x1p3\r\n#true\r\n#\r\n:18446744073709551616\r\n,NaN\r\n",
			`"name":"x","bytes":70,"args":["1 2","","NaN","0x1p3","true","",18446744073709551616,"nan"]}`},
		{"not numbers", ">4\r\n+x\r\n,inf\r\n,-inf\r\n,nan\r\n", `"name":"x","bytes":27,"args":["inf","-inf","nan"]}`},
		{"booleans", ">3\r\n+x\r\n#t\r\n#f\r\n", `"name":"x","bytes":16,"args":[true,false]}`},
		{"errors", ">3\r\n+x\r\n-ERR no\r\n!2\r\n\xff!\r\n", `"name":"x","bytes":25,"args":[{"error":"ERR no"},{"error":{"base64":"/yE="}}]}`},
		{"verbatim", ">2\r\n+x\r\n=7\r\ntxt:abc\r\n", `"name":"x","bytes":21,"args":["abc"]}`},
		{"lists", ">4\r\n+x\r\n*0\r\n~1\r\n:1\r\n%1\r\n:1\r\n+a\r\n", `"name":"x","bytes":32,"args":[[],[1],{"map":[[1,"a"]]}]}`},
		{"empty map", ">2\r\n+x\r\n%0\r\n", `"name":"x","bytes":12,"args":[{"map":[]}]}`},
		{"no name", ">2\r\n:1\r\n:2\r\n", `"name":null,"bytes":12,"args":[1,2]}`},
		{"no elements", ">0\r\n", `"name":null,"bytes":4,"args":[]}`},
		{"attributes", "|1\r\n+ttl\r\n:9\r\n>1\r\n+x\r\n", `"name":"x","bytes":22,"args":[],"attributes":[["ttl",9]]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			frame, _, err := parser.Parse([]byte(test.wire))
			require.NoError(t, err)
			got := encode(t, frame)
			require.Equal(t, begin+test.want+"\n", got)
		})
	}
}

// The test decodes the lines of every push of the captures and finds
// their names and texts again.
func TestPushesOfCapturesAreTheSameInJSON(t *testing.T) {
	files, err := filepath.Glob("../../../../testdata/captures/*/*.resp")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	pushes := 0
	for _, file := range files {
		stream, err := os.ReadFile(file)
		require.NoError(t, err)
		for len(stream) > 0 {
			frame, n, err := parser.Parse(stream)
			if err != nil {
				break // a capture may end in mid-frame
			}
			stream = stream[n:]
			if frame.IsPush() {
				pushes++
				check(t, frame)
			}
		}
	}
	require.Greater(t, pushes, 100)
}

func check(t *testing.T, frame parser.Frame) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(encode(t, frame))))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	var line struct {
		Time       time.Time
		Name       any
		Bytes      int
		Args       []any
		Attributes []any
	}
	require.NoError(t, decoder.Decode(&line))
	require.True(t, at.Equal(line.Time))
	require.Equal(t, len(frame.Raw()), line.Bytes)
	require.Equal(t, string(frame.Name()), text(t, line.Name))
	i := 0
	for arg := range frame.Args() {
		switch arg.Type() {
		case parser.TypeBulkString, parser.TypeSimpleString:
			require.Equal(t, string(arg.Bytes()), text(t, line.Args[i]))
		case parser.TypeInteger:
			require.Equal(t, json.Number(arg.String()), line.Args[i])
		}
		i++
	}
	require.Len(t, line.Args, i)
}

// text undoes what the package does to texts.
func text(t *testing.T, v any) string {
	t.Helper()
	if binary, ok := v.(map[string]any); ok {
		b, err := base64.StdEncoding.DecodeString(binary["base64"].(string))
		require.NoError(t, err)
		return string(b)
	}
	return v.(string)
}

func TestCapturedFrameIsALineWithItsPlace(t *testing.T) {
	top := jsonline.Place{File: "a.resp", Offset: 46, Inside: -1}
	for _, test := range []struct {
		name  string
		place jsonline.Place
		wire  string
		want  string
	}{
		{"push", top, ">2\r\n+x\r\n:1\r\n", `{"file":"a.resp","offset":46,"bytes":12,"type":"push","name":"x","args":[1]}`},
		{"nested push", jsonline.Place{File: "-", Offset: 9, Inside: 0}, ">1\r\n+x\r\n", `{"file":"-","offset":9,"inside":0,"bytes":8,"type":"push","name":"x","args":[]}`},
		{"no name", top, ">1\r\n:1\r\n", `{"file":"a.resp","offset":46,"bytes":8,"type":"push","name":null,"args":[1]}`},
		{"reply", top, "+OK\r\n", `{"file":"a.resp","offset":46,"bytes":5,"type":"simple string","value":"OK"}`},
		{"null", top, "$-1\r\n", `{"file":"a.resp","offset":46,"bytes":5,"type":"null","value":null}`},
		{"error", top, "-ERR no\r\n", `{"file":"a.resp","offset":46,"bytes":9,"type":"simple error","value":{"error":"ERR no"}}`},
		{"push inside", top, "*1\r\n>1\r\n+x\r\n#t\r\n", `{"file":"a.resp","offset":46,"bytes":16,"type":"array","value":[true]}`},
		{"attributes", top, "|1\r\n+ttl\r\n:9\r\n$1\r\n\xff\r\n",
			`{"file":"a.resp","offset":46,"bytes":21,"type":"bulk string","value":{"base64":"/w=="},"attributes":[["ttl",9]]}`},
		{"binary file", jsonline.Place{File: "\xff", Inside: -1}, "_\r\n", `{"file":{"base64":"/w=="},"offset":0,"bytes":3,"type":"null","value":null}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			frame, n, err := parser.Parse([]byte(test.wire))
			require.NoError(t, err)
			require.Len(t, test.wire, n)
			line := jsonline.Captured([]byte("before "), test.place, frame)
			require.Equal(t, "before "+test.want+"\n", string(line))
		})
	}
}

func TestOversizeFrameIsALineWithoutItsContent(t *testing.T) {
	place := jsonline.Place{File: "a.resp", Offset: 46, Inside: -1}
	require.Equal(t, `{"file":"a.resp","offset":46,"bytes":99,"type":"array","oversize":true}`+"\n",
		string(jsonline.Oversize(nil, place, 99, parser.TypeArray, nil)))
	require.Equal(t, `{"file":"a.resp","offset":46,"bytes":99,"type":"push","name":"x","oversize":true}`+"\n",
		string(jsonline.Oversize(nil, place, 99, parser.TypePush, []byte("x"))))
}

// The test compares with what encoding/json makes of the same text.
func TestTextIsThatOfEncodingJSON(t *testing.T) {
	var all strings.Builder
	for r := rune(0); r < 0x3000; r++ {
		all.WriteRune(r)
	}
	for _, text := range []string{"", "plain", `a"b\c`, "\x00\x1f\x7f\r\n\t\b\f", "<a>&'", "héllo\u2028\u2029\ufffd😀", all.String()} {
		got := jsonline.Text(nil, []byte(text))
		require.Negative(t, bytes.IndexFunc(got, unicode.IsControl), "%q", text)
		require.False(t, bytes.ContainsAny(got, "\u2028\u2029"), "%q", text)
		var back string
		require.NoError(t, json.Unmarshal(got, &back))
		require.Equal(t, text, back)
	}
	for _, binary := range []string{"\xff", "ab\xc3", "\xed\xa0\x80", strings.Repeat("\x80", 1000)} {
		var back struct{ Base64 []byte }
		require.NoError(t, json.Unmarshal(jsonline.Text(nil, []byte(binary)), &back))
		require.Equal(t, binary, string(back.Base64))
	}
}

func TestBigNumbersKeepTheirDigits(t *testing.T) {
	for _, test := range []struct{ digits, want string }{
		{"0", "0"}, {"-0", "-0"}, {"+7", "7"}, {"007", "7"}, {"-007", "-7"}, {"000", "0"},
		{"-12345678901234567890123", "-12345678901234567890123"},
	} {
		frame, _, err := parser.Parse([]byte("(" + test.digits + "\r\n"))
		require.NoError(t, err)
		line := jsonline.Captured(nil, jsonline.Place{Inside: -1}, frame)
		require.Contains(t, string(line), `"value":`+test.want+"}")
		require.True(t, json.Valid(line))
	}
}

func TestEventsOfAClusterNameTheirNodeAndPart(t *testing.T) {
	since := at.Add(-1500 * time.Millisecond)
	const begin, moment = `{"time":"2024-05-04T10:20:30.123456789Z","event":`, `"since":"2024-05-04T10:20:28.623456789Z",`
	slots := feed.Slots{{First: 0, Last: 5460}, {First: 5462, Last: 5462}}
	for _, test := range []struct {
		of   jsonline.Part
		want string
	}{
		{jsonline.Part{}, ""},
		{jsonline.Part{Node: "a:1", Part: feed.Part{Slots: slots}}, `"node":"a:1","slots":[[0,5460],[5462,5462]],`},
		{jsonline.Part{Node: "a:1", Part: feed.Part{Channels: true}}, `"node":"a:1","slots":[],"channels":true,`},
		{jsonline.Part{Part: feed.Part{Slots: feed.AllSlots(), Channels: true}}, `"slots":[[0,16383]],"channels":true,`},
	} {
		require.Equal(t, begin+`"gap",`+test.want+moment+`"cause":"why"}`+"\n", string(jsonline.Gap(nil, at, test.of, since, "why")))
		require.Equal(t, begin+`"armed",`+test.want+moment+`"seconds":1.500}`+"\n", string(jsonline.Armed(nil, at, test.of, since, at.Sub(since))))
	}
}
