package command_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/command"
)

func TestCommandIsAnArrayOfBulkStrings(t *testing.T) {
	got := command.Append([]byte("before"), "SET", "k\r\n", "")
	require.Equal(t, "before*3\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$0\r\n\r\n", string(got))
}
