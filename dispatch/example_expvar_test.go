package dispatch_test

import (
	"context"
	"expvar"
	"fmt"
	"strings"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// Var publishes the counters of a processor among the variables of /debug/vars.
func ExampleProcessor_Var() {
	p := dispatch.NewProcessor()
	expvar.Publish("pushes", p.Var())

	conn := strings.NewReader(">2\r\n$10\r\ninvalidate\r\n*1\r\n$6\r\nuser:1\r\n")
	rd := parser.NewReader(conn)
	if err := p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd); err != nil {
		fmt.Println(err)
	}
	fmt.Println(expvar.Get("pushes"))
	// Output:
	// {"Pushes":1,"Bytes":37,"Unhandled":1,"Errors":0,"Panics":0,"Oversize":0,"Nested":0}
}
