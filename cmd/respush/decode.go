package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/seed79615202/respush/cmd/respush/internal/decode"
)

const decodeLong = `Prints every frame of captured streams. A stream is what a server has sent to one
client. A line has the offset of a frame, its length in bytes, its type, and
what it holds. Pushes inside another frame follow it as nested pushes, at their
own offset.

A FILE may be compressed with gzip, which decode recognizes by its content.
Offsets are those of the decompressed stream. Without a FILE, or for -, decode
reads standard input and prints each frame as it arrives.

When a FILE is malformed, decode prints every frame before that place, and then
one line on standard error with the offset and the cause. It cannot tell frames
apart behind that place. A FILE that ends inside a frame is reported as cut
short. decode then reads the next FILE. The exit status is 0 when all FILEs were
well formed, 1 when one was not, was cut short or could not be read to its end,
and 2 when the command line makes no sense.

Memory follows the largest frame. For a frame larger than --max-frame, or nested
more than 128 levels deep, decode prints its offset, length and type only.

On a terminal, decode shows the progress of a long reading.`

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
	flags.BoolVar(&opts.Pushes, "pushes", false, "print only pushes, including those inside other frames")
	flags.BoolVar(&opts.Summary, "summary", false, "print only totals: of pushes by name, replies, attributes, bytes")
	flags.BoolVar(&opts.JSON, "json", false, "print one JSON object a line")
	flags.Var(&opts.MaxFrame, "max-frame", "print no content of frames larger than `size` bytes")
	return cmd
}
