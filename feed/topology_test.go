package feed_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
)

// myself matches the line of the node that has answered, and its address.
var myself = regexp.MustCompile(`(?m)^\S+ ([^:\s][^@\s]*)@\S* \S*myself`)

func TestClusterNodesJoinsWhatNodesKnow(t *testing.T) {
	const (
		a = "aaa 10.0.0.1:6379@16379 "
		b = "bbb 10.0.0.2:6379@16379,host "
		c = "ccc 10.0.0.3:6379@16379 "
		r = "rrr 10.0.0.4:6379@16379 "
	)
	fromA := a + "myself,master - 0 0 1 connected 0-5460\n" + b + "master - 0 1 2 connected 5461-10922\n" +
		c + "master - 0 1 3 connected 10923-16383\n" + r + "slave aaa 0 1 1 connected\n"
	fromB := a + "master - 0 0 1 connected 0-5460\n" + b + "myself,master - 0 1 2 connected 5461-10922\n" +
		c + "master,fail - 0 1 3 connected 10923-16383\n"
	node := func(addr, id string, epoch uint64, ranges ...feed.SlotRange) feed.Node {
		return feed.Node{Addr: addr + ":6379", ID: id, Epoch: epoch, Slots: ranges}
	}
	nodeB := node("10.0.0.2", "bbb", 2, feed.SlotRange{5461, 10922})
	nodeC := node("10.0.0.3", "ccc", 3, feed.SlotRange{10923, 16383})
	tests := []struct {
		name    string
		answers []string
		want    []feed.Node
		err     string
	}{
		{"all agree, and one is down", []string{fromA, fromB}, []feed.Node{node("10.0.0.1", "aaa", 1, feed.SlotRange{0, 5460}), nodeB, nodeC}, ""},
		{"one answer of three", []string{fromA}, nil, "too few nodes have answered: 1 of 3 primaries"},
		{"no answer", nil, nil, "too few"},
		{"a replica that has been promoted knows it alone", []string{fromA, fromB, r + "myself,master - 0 0 4 connected 0-5460\n"}, []feed.Node{
			node("10.0.0.4", "rrr", 4, feed.SlotRange{0, 5460}), nodeB, nodeC,
		}, ""},
		{"a primary that is cut off", []string{
			fromA, b + "myself,master - 0 1 2 connected 5461-10922\n" + r + "master - 0 0 4 connected 0-5460\n" + a + "master,fail - 0 0 1 connected\n",
			r + "myself,master - 0 0 4 connected 0-5460\n",
		}, []feed.Node{node("10.0.0.4", "rrr", 4, feed.SlotRange{0, 5460}), nodeB, nodeC}, ""},
		{"a slot that has been taken", []string{
			a + "myself,master - 0 0 1 connected 1-5460\n", b + "myself,master - 0 0 2 connected 0 5461-10922\n",
		}, []feed.Node{node("10.0.0.2", "bbb", 2, feed.SlotRange{0, 0}, feed.SlotRange{5461, 10922}), node("10.0.0.1", "aaa", 1, feed.SlotRange{1, 5460})}, ""},
		{"a slot that is given away is nobody's until it is taken", []string{
			a + "myself,master - 0 0 1 connected 1-5460\n", b + "myself,master - 0 0 2 connected 5461-10922\n" + a + "master - 0 0 1 connected 0-5460\n",
		}, []feed.Node{node("10.0.0.1", "aaa", 1, feed.SlotRange{1, 5460}), nodeB}, ""},
		{"slots on their way", []string{
			a + "myself,master - 0 0 1 connected 0-5460 [7->-bbb] [5460->-bbb]\n", b + "myself,master - 0 0 2 connected 5461-10922 [7-<-aaa]\n",
		}, []feed.Node{node("10.0.0.1", "aaa", 1, feed.SlotRange{0, 6}, feed.SlotRange{8, 5459}), nodeB}, ""},
		{"a node that does not know its address", []string{"ddd :0@0 myself,master - 0 0 1 connected 5\n"}, []feed.Node{
			{Addr: "asked0:1", ID: "ddd", Epoch: 1, Slots: feed.Slots{{5, 5}}},
		}, ""},
		{"a handshake", []string{"ddd [::1]:1@2 myself,master - 0 0 1 connected 5\neee 1.1.1.1:1@2 master,handshake - 0 0 1 connected\n"}, []feed.Node{
			{Addr: "[::1]:1", ID: "ddd", Epoch: 1, Slots: feed.Slots{{5, 5}}},
		}, ""},
		{"a node that has lost its address", []string{
			fromA, fromB + "old :0@0 master,noaddr - 0 1 4 connected 10923-16383\n",
		}, []feed.Node{node("10.0.0.1", "aaa", 1, feed.SlotRange{0, 5460}), nodeB}, ""},
		{"too few fields", []string{"ddd :1@2 myself,master\n"}, nil, "3 fields"},
		{"no epoch", []string{"ddd :1@2 myself,master - 0 0 x connected\n"}, nil, "epoch"},
		{"no slots", []string{"ddd :1@2 myself,master - 0 0 1 connected 5-4\n"}, nil, "slots"},
		{"no such slot", []string{"ddd :1@2 myself,master - 0 0 1 connected 16384\n"}, nil, "slots"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answers := make(map[string]string)
			for i, text := range test.answers {
				addr := fmt.Sprintf("asked%d:1", i)
				if own := myself.FindStringSubmatch(text); own != nil {
					addr = own[1]
				}
				answers[addr] = text
			}
			nodes, err := feed.ClusterNodes(answers)
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, nodes)
		})
	}
	nodes, err := feed.ClusterNodes(map[string]string{"reached.by:1": "ddd [::1]:1@2,name myself,master - 0 0 1 connected 5\n"})
	require.NoError(t, err)
	require.Equal(t, "reached.by:1", nodes[0].Addr, "it announces another address")
	_, err = feed.ClusterNodes(nil)
	require.ErrorIs(t, err, feed.ErrFewAnswers)
}
