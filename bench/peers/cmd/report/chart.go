package main

import (
	"bytes"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The chart has its own background, so it looks the same on a light page and on
// a dark one.
var (
	ground   = color.RGBA{0xfb, 0xfb, 0xfa, 0xff}
	ink      = color.RGBA{0x24, 0x29, 0x2f, 0xff}
	pale     = color.RGBA{0x57, 0x60, 0x6a, 0xff}
	gridline = color.RGBA{0xe3, 0xe5, 0xe8, 0xff}
	respushC = color.RGBA{0x0b, 0x7a, 0x75, 0xff}
	peerC    = color.RGBA{0x9a, 0xa7, 0xb4, 0xff}
	respushP = color.RGBA{0x8c, 0xc4, 0xc0, 0xff} // P: pale, for handlers that read no element
	peerP    = color.RGBA{0xcd, 0xd4, 0xda, 0xff}
	floorC   = color.RGBA{0xe0, 0xb6, 0x5c, 0xff}
)

// Sizes in points. The width is that of a README's column.
const (
	chartWidth  = 640
	panelHeight = 164
	headHeight  = 44
	footHeight  = 34
	columns     = 3
	margin      = 8
	fontSize    = 7.5
	ratioSize   = 6.5
	barWidth    = 8.5
	decades     = 2.55 // the range of a panel; the same ratio has the same length in every panel
)

// drawChart draws a panel of bars for each frame.
func drawChart(path string, r *Results, provenance string) error {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	var frames []string
	for _, f := range r.Frames {
		if f != idleFrame {
			frames = append(frames, f)
		}
	}
	rows := (len(frames) + columns - 1) / columns
	width, height := vg.Length(chartWidth), vg.Length(headHeight+rows*panelHeight+footHeight)
	svg := vgsvg.New(width, height)
	all := draw.New(svg)
	all.SetColor(ground)
	all.Fill(all.Rectangle.Path())

	label := textStyle(fontSize, ink)
	title := label
	title.Font.Size = 11
	title.Font.Weight = xfont.WeightBold
	all.FillText(title, vg.Point{X: margin, Y: height - 16}, "Nanoseconds per frame, from the stream's read to the return of a handler that has read every element")
	note := label
	note.Color = pale
	all.FillText(note, vg.Point{X: margin, Y: height - 28},
		"Shorter is better. Logarithmic: equal ratios have equal lengths. Behind each time: how many times that of respush it is.")
	all.FillText(note, vg.Point{X: margin, Y: 18}, provenance)
	all.FillText(note, vg.Point{X: margin, Y: 8},
		"-counts: the handler reads no element. redcon walks a slice and reads nothing. Line walk + reads: bytes.IndexByte from line to line, and one copy of the stream.")

	body := draw.Crop(all, margin, -margin, footHeight, -headHeight)
	plots := make([][]*plot.Plot, rows)
	for i := range plots {
		plots[i] = make([]*plot.Plot, columns)
	}
	for i, frame := range frames {
		plots[i/columns][i%columns] = newPanel(r, frame, i%columns == 0)
	}
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: 6, PadY: 10}
	for i, row := range plot.Align(plots, tiles, body) {
		for j, canvas := range row {
			if plots[i][j] != nil {
				plots[i][j].Draw(canvas)
			}
		}
	}

	var b bytes.Buffer
	if _, err := svg.WriteTo(&b); err != nil {
		return err
	}
	// Arial and Helvetica have the same widths, for pages on machines without
	// the Liberation fonts.
	out := bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, out, 0o644)
}

func textStyle(size font.Length, c color.Color) text.Style {
	f := plot.DefaultFont
	f.Size = size
	return text.Style{Color: c, Font: f, Handler: plot.DefaultTextHandler}
}

// newPanel returns the bars of one frame. If names is true, the names of the
// implementations appear on the left.
func newPanel(r *Results, frame string, names bool) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Text = frame + "  " + titles[frame]
	p.Title.TextStyle = textStyle(8.5, ink)
	p.Title.TextStyle.Font.Weight = xfont.WeightBold
	p.Title.TextStyle.XAlign = text.XCenter
	p.Title.Padding = -6
	b := newBars(r, frame)
	p.Add(b)
	p.X.Scale = plot.LogScale{}
	p.X.Min, p.X.Max, _, _ = b.DataRange()
	p.HideX()
	p.NominalY(b.labels(names)...)
	p.Y.Tick.Label = textStyle(fontSize, ink)
	p.Y.Tick.Label.XAlign = text.XRight
	p.Y.Tick.Label.YAlign = text.YCenter
	p.Y.LineStyle.Width = 0
	p.Y.Padding = 4
	return p
}

// bars are horizontal bars on a logarithmic axis, the first on top.
type bars struct {
	unit   float64 // the time of respush, which the ratios refer to
	names  []string
	values []float64
	colors []color.Color
}

func newBars(r *Results, frame string) *bars {
	b := &bars{unit: r.Ns(frame, ours)}
	for _, impl := range r.Impls {
		c := peerC
		switch {
		case impl == "floor-lines" || impl == "floor-copy":
			continue
		case impl == counts:
			c = respushP
		case strings.HasSuffix(impl, "-counts"):
			c = peerP
		case strings.HasPrefix(impl, ours):
			c = respushC
		}
		b.add(impl, r.Ns(frame, impl), c)
	}
	b.add("line walk + reads", r.Floor(frame), floorC)
	return b
}

func (b *bars) add(name string, v float64, c color.Color) {
	b.names = append(b.names, name)
	b.values = append(b.values, v)
	b.colors = append(b.colors, c)
}

// labels returns the names from the bottom up, or as many empty strings if
// shown is false.
func (b *bars) labels(shown bool) []string {
	l := make([]string, len(b.names))
	for i, name := range b.names {
		if shown {
			l[len(l)-1-i] = name
		}
	}
	return l
}

// DataRange returns a range that begins somewhat below our times and the floor,
// which is the last value, so that these bars are visible. Values below the
// range belong to implementations that read nothing, and have no bar. All
// panels span the same ratio.
func (b *bars) DataRange() (xmin, xmax, ymin, ymax float64) {
	least := math.Min(b.unit, b.values[len(b.values)-1])
	for i, name := range b.names {
		if strings.HasPrefix(name, ours) && b.values[i] < least {
			least = b.values[i]
		}
	}
	xmin = least / 1.8
	return xmin, xmin * math.Pow(10, decades), -0.5, float64(len(b.values)) - 0.5
}

// Plot draws the bars, each followed by its value and the ratio to ours.
func (b *bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	grid := draw.LineStyle{Color: gridline, Width: 0.5}
	for v := math.Pow(10, math.Ceil(math.Log10(p.X.Min))); v < p.X.Max; v *= 10 {
		c.StrokeLine2(grid, x(v), c.Min.Y, x(v), c.Max.Y)
	}
	style := textStyle(fontSize, ink)
	style.YAlign = text.YCenter
	ratio := style
	ratio.Color = pale
	ratio.Font.Size = ratioSize
	for i, v := range b.values {
		if math.IsNaN(v) {
			continue
		}
		middle := y(float64(len(b.values) - 1 - i))
		bottom, top := middle-barWidth/2, middle+barWidth/2
		left, right := c.Min.X, x(max(v, p.X.Min))
		c.FillPolygon(b.colors[i], []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}})
		at := vg.Point{X: right + 3, Y: middle + 1} // text is centred on its box, whose lower part is empty
		c.FillText(style, at, ns(v))
		if b.names[i] != ours {
			at.X += style.Width(ns(v)) + 4
			c.FillText(ratio, at, factor(v/b.unit, "x"))
		}
	}
}
