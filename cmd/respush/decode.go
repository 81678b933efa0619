package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/seed79615202/respush/cmd/respush/internal/decode"
)

const decodeLong = `Prints every frame of captured streams, what a server has sent to one client:
its offset, its length in bytes, its type, and what it holds. Pushes inside
another frame follow it as nested pushes, at their own offset.

A FILE may be compressed with gzip, which shows in its content; offsets are
those of the decompressed stream. Without a FILE, or for -, standard input is
read, and printed as it comes.

Where a FILE is malformed, everything before is printed, then one line on
standard error with the offset and the cause; nothing behind it can be told
apart. One that is cut short, inside its last frame, is told in other words.
Then the next FILE is read. The exit status is 0 when all were well, 1 when
something was wrong with one of them, cut short included, or the reading was
interrupted, and 2 when the command line makes no sense.

Memory follows the largest frame. One larger than --max-frame, or nested more
than 128 levels deep, is named, with its offset, length and type, but not looked
into.

A terminal shows how far a long reading has come.`

const decodeExample = `  respush decode dump.resp
  respush decode --pushes dump.resp.gz | grep invalidate
  respush decode --summary *.resp
  zcat dump.resp.gz | respush decode --json - | jq 'select(.type == "push")'`

func newDecode() *cobra.Command {
	opts := decode.Options{MaxFrame: decode.DefaultMaxFrame}
	cmd := &cobra.Command{
		Use:     "decode [FILE...|-]",
		Short:   "Prints the frames of captured streams",
		Long:    decodeLong,
		Example: decodeExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.Validate(); err != nil {
				return &usageError{err}
			}
			if len(args) == 0 {
				if term.IsTerminal(int(os.Stdin.Fd())) {
					return &usageError{errors.New("no FILE, and standard input is a terminal")}
				}
				args = []string{"-"}
			}
			decoder := decode.Decoder{
				Options: opts,
				Stdin:   os.Stdin, Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(),
			}
			ok, err := decoder.Run(cmd.Context(), args)
			if err == nil && !ok {
				err = errTold
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&opts.Pushes, "pushes", false, "print only pushes, those inside other frames too")
	flags.BoolVar(&opts.Summary, "summary", false, "print only totals: of pushes by name, replies, attributes, bytes")
	flags.BoolVar(&opts.JSON, "json", false, "print one JSON object a line")
	flags.Var(&opts.MaxFrame, "max-frame", "do not look into frames of more than `size` bytes")
	return cmd
}
