package peers

import (
	"fmt"
	"strconv"

	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// inRESP2 returns w as a server would send it to a RESP2 client: pushes and
// maps become arrays, nulls become $-1, booleans become integers, and doubles
// become strings. It is for peers that know only RESP2.
func inRESP2(w workload.Workload) (workload.Workload, error) {
	var b []byte
	for rest := w.Frame; len(rest) > 0; {
		f, n, err := parser.Parse(rest)
		if err != nil {
			return w, err
		}
		if b, err = appendRESP2(b, f.Value()); err != nil {
			return w, err
		}
		rest = rest[n:]
	}
	w.Frame = b
	return w, nil
}

func appendRESP2(b []byte, v parser.Value) ([]byte, error) {
	switch v.Type() {
	case parser.TypeSimpleString, parser.TypeSimpleError, parser.TypeInteger:
		b = append(append(b, byte(v.Type())), v.Bytes()...)
		return append(b, "\r\n"...), nil
	case parser.TypeBulkString, parser.TypeDouble:
		return fmt.Appendf(b, "$%d\r\n%s\r\n", len(v.Bytes()), v.Bytes()), nil
	case parser.TypeNull:
		return append(b, "$-1\r\n"...), nil
	case parser.TypeBoolean:
		yes, err := v.Bool()
		if yes {
			return append(b, ":1\r\n"...), err
		}
		return append(b, ":0\r\n"...), err
	case parser.TypeArray, parser.TypeMap, parser.TypePush:
		b = append(strconv.AppendInt(append(b, '*'), int64(v.Len()), 10), "\r\n"...)
		for e := range v.All() {
			var err error
			if b, err = appendRESP2(b, e); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	return nil, fmt.Errorf("peers: RESP2 has no %s", v.Type())
}
