package oracle

// frame reads one top-level value with the attributes before it.
func (s *state) frame() (*Node, bool) {
	start := s.pos
	attributes, ok := s.attributes(0)
	if !ok {
		return nil, false
	}
	t, ok := s.marker()
	if !ok {
		return nil, false
	}
	return s.value(t, 0, start, attributes)
}

// attributes reads all attributes that come next, at a place with depth
// aggregates open. It stops at the first byte that does not open an attribute.
// If that byte is missing, the caller has to find out.
func (s *state) attributes(depth int) (list []*Node, ok bool) {
	for {
		s.begin()
		c, ok := s.peek()
		if !ok {
			return nil, false
		}
		if c != '|' {
			return list, true
		}
		start := s.pos
		s.take()
		a, ok := s.value('|', depth, start, nil)
		if !ok {
			return nil, false
		}
		list = append(list, a)
	}
}

// marker takes the type byte that must open the next value. The caller has
// already handled attributes and end markers.
func (s *state) marker() (byte, bool) {
	c, ok := s.peek()
	if !ok {
		return 0, false
	}
	switch c {
	case '+', '-', ':', '$', '*', '_', '#', ',', '(', '!', '=', '%', '~', '>':
		s.take()
		return c, true
	}
	return 0, s.syntax(ErrType, s.pos)
}

// value reads the rest of a value whose type byte t has been taken, at a place
// with depth aggregates open. The node begins at start, as its first attribute
// does.
func (s *state) value(t byte, depth, start int, attributes []*Node) (*Node, bool) {
	n := &Node{Type: t, Start: start, Attributes: attributes}
	ok := false
	switch t {
	case '+', '-', ':', ',', '(', '#', '_':
		ok = s.scalar(n)
	case '$', '!', '=':
		ok = s.bulk(n)
	default:
		ok = s.aggregate(n, depth)
	}
	n.End = s.pos
	return n, ok
}

// scalar reads a value that is one line. Its text is not checked, except that a
// null must have none.
func (s *state) scalar(n *Node) bool {
	if n.Type == '_' {
		return s.endLine(ErrNull)
	}
	first := s.pos
	ok := s.line()
	if ok {
		n.Text = s.in[first : s.pos-2]
	}
	return ok
}

// bulk reads a length-prefixed string, a streamed string, or the null $-1.
func (s *state) bulk(n *Node) bool {
	first := s.pos
	size, f, ok := s.length(n.Type)
	if !ok {
		return false
	}
	switch f {
	case null:
		n.Type = '_'
		return true
	case streamed:
		n.Streamed = true
		return s.chunks(n)
	}
	if n.Type == '=' && size < 4 {
		return s.syntax(ErrVerbatim, first)
	}
	if size > int64(s.lim.MaxBulk) {
		return s.over(MaxBulk, s.lim.MaxBulk, size)
	}
	if !s.fits(size) {
		return false
	}
	n.Text, ok = s.text(size, n.Type == '=')
	return ok
}

// fits reports whether size bytes and the CR LF after them stay within
// MaxFrame.
func (s *state) fits(size int64) bool {
	with, beyond := sum(size, 2)
	got, over := exceeds(with, int64(s.pos), s.lim.MaxFrame)
	if beyond || over {
		return s.over(MaxFrame, s.lim.MaxFrame, got)
	}
	return true
}

// text takes size arbitrary bytes and a CR LF. The fourth byte of a verbatim
// string must be a colon.
func (s *state) text(size int64, verbatim bool) ([]byte, bool) {
	first := s.pos
	for i := int64(0); i < size; i++ {
		c, ok := s.peek()
		if !ok {
			return nil, false
		}
		if verbatim && i == 3 && c != ':' {
			return nil, s.syntax(ErrVerbatim, s.pos)
		}
		s.take()
	}
	last := s.pos
	if !s.expect('\r', ErrTerminator) || !s.expect('\n', ErrTerminator) {
		return nil, false
	}
	return s.in[first:last:last], true
}

// chunks reads the chunks of a streamed string, including the empty chunk that
// ends it.
func (s *state) chunks(n *Node) bool {
	n.Text = []byte{}
	for {
		s.begin()
		if !s.expect(';', ErrChunk) {
			return false
		}
		size, _, ok := s.length(';')
		if !ok {
			return false
		}
		if size == 0 {
			return true
		}
		got, over := exceeds(int64(len(n.Text)), size, s.lim.MaxBulk)
		if over {
			return s.over(MaxBulk, s.lim.MaxBulk, got)
		}
		if !s.fits(size) {
			return false
		}
		text, ok := s.text(size, false)
		if !ok {
			return false
		}
		n.Text = append(n.Text, text...)
	}
}

// aggregate reads an array, set, map, push or attribute, or the null *-1. depth
// is the number of aggregates open around it.
func (s *state) aggregate(n *Node, depth int) bool {
	count, f, ok := s.length(n.Type)
	if !ok {
		return false
	}
	if f == null {
		n.Type = '_'
		return true
	}
	depth++
	if depth > s.lim.MaxDepth {
		return s.over(MaxDepth, s.lim.MaxDepth, int64(depth))
	}
	pairs := n.Type == '%' || n.Type == '|'
	if pairs {
		count *= 2
	}
	got, over := exceeds(s.announced, count, s.lim.MaxElements)
	if over {
		return s.over(MaxElements, s.lim.MaxElements, got)
	}
	s.announced = got

	n.Streamed = f == streamed
	for n.Streamed || int64(len(n.Children)) < count {
		waiting := pairs && len(n.Children)%2 == 1 // a key waits for its value
		child, end, ok := s.element(n, depth, waiting)
		if !ok {
			return false
		}
		if end {
			return true
		}
		n.Children = append(n.Children, child)
	}
	return true
}

// element reads the out-of-band pushes that come next, and then the next
// element of n. end is true if the end marker of a streamed aggregate came
// instead of an element.
func (s *state) element(n *Node, depth int, waiting bool) (child *Node, end, ok bool) {
	for {
		start := s.pos
		attributes, ok := s.attributes(depth)
		if !ok {
			return nil, false, false
		}
		c, ok := s.peek()
		if !ok {
			return nil, false, false
		}
		if c == '.' && n.Streamed {
			if waiting || len(attributes) > 0 {
				return nil, false, s.syntax(ErrEnd, s.pos)
			}
			s.take()
			return nil, true, s.endLine(ErrTerminator)
		}
		t, ok := s.marker()
		if !ok {
			return nil, false, false
		}
		if t == '>' {
			push, ok := s.value(t, depth, start, attributes)
			if !ok {
				return nil, false, false
			}
			n.Pushes = append(n.Pushes, push)
			continue
		}
		if n.Streamed {
			got, over := exceeds(s.announced, 1, s.lim.MaxElements)
			if over {
				return nil, false, s.over(MaxElements, s.lim.MaxElements, got)
			}
			s.announced = got
		}
		child, ok = s.value(t, depth, start, attributes)
		return child, false, ok
	}
}
