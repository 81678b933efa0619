package notify

import (
	"strconv"

	"github.com/seed79615202/respush/parser"
)

// ServerCPUUsage is a server-cpu-usage push. A server sends it in response to
// the test command DEBUG PROTOCOL push. It does not refer to the frame it was
// parsed from.
type ServerCPUUsage struct {
	Usage int64 // always 42
}

// ParseServerCPUUsage parses a server-cpu-usage push. Its one element after the
// name is an integer. ParseServerCPUUsage returns a [*ShapeError] for any other
// frame, and allocates only for that.
func ParseServerCPUUsage(push parser.Frame) (ServerCPUUsage, error) {
	if string(push.Name()) != NameServerCPUUsage {
		return ServerCPUUsage{}, errFamily(push, FamilyServerCPUUsage)
	}
	d := decoder{family: FamilyServerCPUUsage, push: NameServerCPUUsage}
	d.read(push, 2, 2)
	u := ServerCPUUsage{d.integer(1)}
	if d.err != nil {
		return ServerCPUUsage{}, d.err
	}
	return u, nil
}

// String returns a description of u on one line.
func (u ServerCPUUsage) String() string { return string(u.appendLine(nil)) }

func (u ServerCPUUsage) appendLine(dst []byte) []byte {
	return strconv.AppendInt(append(append(dst, NameServerCPUUsage...), gap...), u.Usage, 10)
}
