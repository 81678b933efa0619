package parser_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/seed79615202/respush/parser"
)

func ExampleParse() {
	wire := []byte(">2\r\n$10\r\ninvalidate\r\n*2\r\n$6\r\nuser:1\r\n$6\r\nuser:2\r\n+OK\r\n")

	_, _, err := parser.Parse(wire[:20])
	fmt.Println(errors.Is(err, parser.ErrIncomplete))

	f, n, err := parser.Parse(wire)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s %s\n", f.Type(), f.Name())
	for v := range f.Args() {
		fmt.Println(v)
	}
	fmt.Printf("behind it: %q\n", wire[n:])
	// Output:
	// true
	// push invalidate
	// ["user:1" "user:2"]
	// behind it: "+OK\r\n"
}

// A loop that looks for pushes and ignores replies. A frame is borrowed until the
// next call on the Reader.
func Example() {
	pushes := func(conn io.Reader) error {
		r := parser.NewReader(conn)
		for {
			f, err := r.Next()
			if err != nil {
				return err
			}
			if f.IsPush() {
				fmt.Printf("%s %v\n", f.Name(), f.Value()) // borrowed until the next call on r
			}
		}
	}
	fmt.Println(pushes(strings.NewReader("+OK\r\n" + ">2\r\n$10\r\ninvalidate\r\n_\r\n")))
	// Output:
	// invalidate ["invalidate" null]
	// EOF
}

// A Reader with its own buffer, which reads all there is: pushes and replies.
func ExampleReader() {
	conn := strings.NewReader("+OK\r\n" +
		">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n" +
		"*2\r\n:1\r\n_\r\n")

	r := parser.NewReader(conn)
	for {
		f, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			fmt.Println(err) // the connection is of no use any more
			return
		}
		if f.IsPush() {
			fmt.Printf("push %s: %v\n", f.Name(), f.Value())
			continue
		}
		reply, err := f.Value().Any() // owned, where the frame is valid until the next call on r
		fmt.Printf("reply: %v %v\n", reply, err)
	}
	// Output:
	// reply: OK <nil>
	// push message: ["message" "news" "hello"]
	// reply: [1 <nil>] <nil>
}

// A client that has a buffer and parses its replies itself. The Reader works in that buffer, and takes the pushes only.
func ExampleDriver() {
	conn := strings.NewReader(">2\r\n$10\r\ninvalidate\r\n*1\r\n$4\r\nuser\r\n" + "$5\r\nAlice\r\n" + ":42\r\n")

	buffer := bufio.NewReader(conn)
	pushes := parser.NewReader(buffer).Driver()
	readReply := func() (string, error) {
		for {
			f, ok, err := pushes.NextPush(true)
			if err != nil {
				return "", err
			}
			if !ok {
				break
			}
			fmt.Printf("push: %v\n", f.Value())
		}
		line, err := buffer.ReadString('\n') // here begins the client's own parser
		if err != nil || line[0] != '$' {
			return line, err
		}
		return buffer.ReadString('\n')
	}
	for range 2 {
		reply, err := readReply()
		fmt.Printf("reply: %q %v\n", reply, err)
	}
	// Output:
	// push: ["invalidate" ["user"]]
	// reply: "Alice\r\n" <nil>
	// reply: ":42\r\n" <nil>
}

// Forwarding frames without holding them: replies go on, pushes are dropped.
func ExampleScanner() {
	conn := strings.NewReader("+OK\r\n" + "$20\r\n12345678901234567890\r\n" + ">2\r\n+invalidate\r\n_\r\n" + ":1\r\n")

	var s parser.Scanner
	var rest []byte // not yet consumed
	var held []byte // consumed, of a frame whose type has not come
	piece := make([]byte, 8)
	for {
		k, readErr := conn.Read(piece)
		rest = append(rest, piece[:k]...)
		for done := true; done && len(rest) > 0; {
			var n int
			var err error
			if n, done, err = s.Scan(rest); err != nil {
				fmt.Println(err)
				return
			}
			held = append(held, rest[:n]...)
			rest = rest[n:]
			switch s.Type() {
			case 0:
				continue
			case parser.TypePush:
			default:
				os.Stdout.Write(bytes.ReplaceAll(held, []byte("\r\n"), []byte(" ")))
			}
			held = held[:0]
			if done {
				fmt.Printf("[end of %s]\n", s.Type())
			}
		}
		if readErr != nil {
			return
		}
	}
	// Output:
	// +OK [end of simple string]
	// $20 12345678901234567890 [end of bulk string]
	// [end of push]
	// :1 [end of integer]
}

// A message that a transaction published to its own connection comes inside the reply to EXEC, and is no part of it.
func ExampleFrame_NestedPushes() {
	f, _, err := parser.Parse([]byte("*3\r\n+OK\r\n" + ">3\r\n$7\r\nmessage\r\n$4\r\nself\r\n$2\r\nhi\r\n" + ":1\r\n" + "$5\r\nvalue\r\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Len(), f.Value())
	for push := range f.NestedPushes() {
		fmt.Println(push.Value())
	}
	// Output:
	// 3 ["OK" 1 "value"]
	// ["message" "self" "hi"]
}

func ExampleValue_Pairs() {
	f, _, err := parser.Parse([]byte("%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:7\r\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for key, value := range f.Value().Pairs() {
		if n, err := value.Int64(); err == nil {
			fmt.Printf("%s is the number %d\n", key, n)
			continue
		}
		fmt.Printf("%s is %s\n", key, value)
	}
	// Output:
	// server is redis
	// proto is the number 3
	// id is the number 7
}

func ExampleElements() {
	f, _, _ := parser.Parse([]byte(">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"))
	name, e := f.Split()
	channel, e, isText := e.NextText()
	count, _, isInteger := e.NextInt64()
	if string(name) == "subscribe" && isText && isInteger {
		fmt.Printf("%s, %d in all\n", channel, count)
	}
	// Output: news, 1 in all
}

// A loop over the elements of an aggregate.
func ExampleValue_Elements() {
	f, _, _ := parser.Parse([]byte("*2\r\n$4\r\nuser\r\n$4\r\ncart\r\n"))
	v := f.Value()
	for e := v.Elements(); ; {
		c, rest, ok := e.Next()
		if !ok {
			break
		}
		fmt.Printf("%s, and %d more\n", c.Bytes(), rest.Len())
		e = rest
	}
	// Output:
	// user, and 1 more
	// cart, and 0 more
}
