package filter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/filter"
	"github.com/seed79615202/respush/parser"
)

const (
	user      = ">2\r\n+invalidate\r\n*2\r\n+user:1\r\n+item:7\r\n"
	slashes   = ">2\r\n+invalidate\r\n*1\r\n+a/b/c\r\n"
	binary    = ">2\r\n+invalidate\r\n*1\r\n$3\r\nk\xff/\r\n"
	flush     = ">2\r\n+invalidate\r\n_\r\n"
	message   = ">3\r\n+message\r\n+news\r\n+x\r\n"
	pmessage  = ">4\r\n+pmessage\r\n+n*\r\n+notes\r\n+x\r\n"
	subscribe = ">3\r\n+psubscribe\r\n+n*\r\n:1\r\n"
	moving    = ">4\r\n+MOVING\r\n:1\r\n:5\r\n+h:1\r\n"
	odd       = ">2\r\n+message\r\n:1\r\n"
	nameless  = ">1\r\n:1\r\n"
)

func TestFilterPicksByNameAndByWhatAPushIsAbout(t *testing.T) {
	all := []string{user, slashes, binary, flush, message, pmessage, subscribe, moving, odd, nameless}
	always := []string{moving, odd, nameless}
	for _, test := range []struct {
		name string
		filter.Filter
		want []string
	}{
		{"everything", filter.Filter{}, all},
		{"a name", filter.Filter{Names: []string{"message"}}, []string{message, odd}},
		{"names", filter.Filter{Names: []string{"MOVING", "invalidate", "none"}}, []string{user, slashes, binary, flush, moving}},
		{"a key", filter.Filter{Globs: []string{"item:*"}}, append([]string{user, flush}, always...)},
		{"channels", filter.Filter{Globs: []string{"n[eo]*"}}, append([]string{flush, message, pmessage}, always...)},
		{"a pattern", filter.Filter{Globs: []string{`n\*`}}, append([]string{flush, subscribe}, always...)},
		{"nothing", filter.Filter{Globs: []string{"none"}}, append([]string{flush}, always...)},
		{"slashes", filter.Filter{Globs: []string{"a*c"}}, append([]string{slashes, flush}, always...)},
		{"binary", filter.Filter{Globs: []string{"k?/"}}, append([]string{binary, flush}, always...)},
		{"any", filter.Filter{Globs: []string{"none", "*"}}, all},
		{"both", filter.Filter{Names: []string{"invalidate"}, Globs: []string{"user:[0-9]"}}, []string{user, flush}},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.NoError(t, test.Validate())
			var got []string
			for _, wire := range all {
				push, _, err := parser.Parse([]byte(wire))
				require.NoError(t, err)
				if test.Picks(push) {
					got = append(got, wire)
				}
			}
			require.ElementsMatch(t, test.want, got)
		})
	}
}

func TestMalformedGlobIsRefused(t *testing.T) {
	for _, glob := range []string{"[", "a[b", `a\`} {
		require.ErrorContains(t, filter.Filter{Globs: []string{"*", glob}}.Validate(), "--match")
	}
}
