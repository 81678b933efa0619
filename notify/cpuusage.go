package notify

import (
	"strconv"

	"github.com/seed79615202/respush/parser"
)

// ServerCPUUsage is a server-cpu-usage push, which a server sends in answer to
// DEBUG PROTOCOL push, for tests. It owns its memory.
type ServerCPUUsage struct {
	Usage int64 // always 42
}

// ParseServerCPUUsage returns the usage that push is, a number. Anything else is
// a [*ShapeError]. It does not allocate but for that.
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

// String returns u in words on one line.
func (u ServerCPUUsage) String() string { return string(u.appendLine(nil)) }

func (u ServerCPUUsage) appendLine(dst []byte) []byte {
	return strconv.AppendInt(append(append(dst, NameServerCPUUsage...), gap...), u.Usage, 10)
}
