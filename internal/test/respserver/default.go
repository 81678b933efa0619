package respserver

import (
	"strconv"
	"strings"
)

// Default answers the commands that set up a connection for pushes as Redis 7.0
// does: HELLO, AUTH, PING, CLIENT, the subscriptions and READONLY. Any other
// command is unknown. Handlers may call Default for the usual answer.
func Default(c *Conn, cmd []string) {
	switch name := strings.ToUpper(cmd[0]); name {
	case "HELLO":
		hello(c, cmd)
	case "AUTH", "READONLY":
		c.Write("+OK\r\n")
	case "PING":
		if len(cmd) > 1 {
			c.Write(Format(cmd[1]))
			return
		}
		c.Write("+PONG\r\n")
	case "CLIENT":
		client(c, cmd)
	case "SUBSCRIBE", "UNSUBSCRIBE":
		subscription(c, channel, cmd)
	case "PSUBSCRIBE", "PUNSUBSCRIBE":
		subscription(c, pattern, cmd)
	case "SSUBSCRIBE", "SUNSUBSCRIBE":
		subscription(c, shard, cmd)
	default:
		c.Write("-ERR unknown command '" + cmd[0] + "', with args beginning with: \r\n")
	}
}

func hello(c *Conn, cmd []string) {
	c.server.mu.Lock()
	role := c.server.role
	c.server.mu.Unlock()
	c.mu.Lock()
	if len(cmd) > 1 {
		proto, err := strconv.Atoi(cmd[1])
		if err != nil || proto < 2 || proto > 3 {
			c.mu.Unlock()
			c.Write("-NOPROTO unsupported protocol version\r\n")
			return
		}
		c.proto = proto
	}
	for i := 2; i+1 < len(cmd); i++ {
		switch strings.ToUpper(cmd[i]) {
		case "AUTH":
			i += 2
		case "SETNAME":
			i++
			c.name = cmd[i]
		}
	}
	proto := c.proto
	c.mu.Unlock()
	head := "%7\r\n"
	if proto == 2 {
		head = "*14\r\n"
	}
	c.Write(head + Format("server") + Format("redis") + Format("version") + Format("7.0.15") +
		Format("proto") + Format(proto) + Format("id") + Format(c.ID) + Format("mode") + Format("standalone") +
		Format("role") + Format(role) + Format("modules") + Format([]string{}))
}

func client(c *Conn, cmd []string) {
	if len(cmd) < 2 {
		c.Write("-ERR wrong number of arguments for 'client' command\r\n")
		return
	}
	switch strings.ToUpper(cmd[1]) {
	case "ID":
		c.Write(Format(c.ID))
		return
	case "SETNAME":
		if len(cmd) > 2 {
			c.mu.Lock()
			c.name = cmd[2]
			c.mu.Unlock()
		}
	}
	c.Write("+OK\r\n")
}

// A kind is one of the three kinds of subscriptions.
type kind int

const (
	channel kind = iota
	pattern
	shard
)

// subscription subscribes or unsubscribes, and sends one confirmation for each
// name. A confirmation tells how many subscriptions there are. Shard channels
// are counted alone; channels and patterns are counted together.
func subscription(c *Conn, k kind, cmd []string) {
	verb, names := strings.ToLower(cmd[0]), cmd[1:]
	leave := strings.Contains(verb, "unsub")
	if !leave && len(names) == 0 {
		c.Write("-ERR wrong number of arguments for '" + verb + "' command\r\n")
		return
	}
	c.server.mu.Lock()
	arrays := c.server.arrays
	c.server.mu.Unlock()
	c.mu.Lock()
	head := ">3\r\n"
	if arrays || c.proto == 2 {
		head = "*3\r\n"
	}
	null := "_\r\n"
	if c.proto == 2 {
		null = "$-1\r\n"
	}
	if leave && len(names) == 0 {
		names = append(names, c.topics[k]...)
	}
	var answer strings.Builder
	for _, name := range names {
		c.topics[k] = without(c.topics[k], name)
		if !leave {
			c.topics[k] = append(c.topics[k], name)
		}
		answer.WriteString(head + Format(verb) + Format(name) + Format(c.count(k)))
	}
	if len(names) == 0 {
		answer.WriteString(head + Format(verb) + null + Format(c.count(k)))
	}
	c.mu.Unlock()
	c.Write(answer.String())
}

// count returns the number of subscriptions for a confirmation of this kind.
// The caller holds mu.
func (c *Conn) count(k kind) int {
	if k == shard {
		return len(c.topics[shard])
	}
	return len(c.topics[channel]) + len(c.topics[pattern])
}

// without returns list without name, in place.
func without(list []string, name string) []string {
	kept := list[:0]
	for _, s := range list {
		if s != name {
			kept = append(kept, s)
		}
	}
	return kept
}
