package parser

// The functions here walk bytes that a Scanner has found valid, so they check
// nothing twice; an index out of range would be a mistake in the Scanner.

// header reads the header line at b[p], the type byte of a bulk, chunk or
// aggregate. n is the length or count announced, -1 for a RESP2 null, -2 for a
// streamed value; body is where the line ends.
func header(b []byte, p int) (n, body int) {
	p++
	switch b[p] {
	case '-':
		return -1, p + 4
	case '?':
		return -2, p + 3
	}
	for b[p] != '\r' {
		n = n*10 + int(b[p]-'0')
		p++
	}
	return n, p + 2
}

// parseValue returns the value whose type byte is b[at], with the attributes
// before it, which begin at b[from]. It ends at b[end], or nobody knows yet
// where: then end is -1 and parseValue finds it.
func parseValue(b []byte, from, at, end int) Value {
	t := Type(b[at])
	body := at + 1
	switch classes[t] {
	case classBulk, classAggregate:
		var n int
		n, body = header(b, at)
		switch {
		case n == -1:
			t, end = TypeNull, body
		case n < 0 && t == TypeBulkString:
			return newValue(b, from, at, body, end, t, true)
		case classes[t] == classBulk:
			end = body + n + 2
			if t == TypeVerbatimString {
				body += 4
			}
		}
	default:
		end = lineEnd(b, body)
	}
	return newValue(b, from, at, body, end, t, false)
}

// newValue returns a Value of these parts.
func newValue(b []byte, from, at, body, end int, t Type, streamed bool) Value {
	if end < 0 {
		end = skipItem(b, at)
	}
	v := Value{b[from:end:end], valueMeta(t) | valueMeta(body-at)<<8 | valueMeta(at-from)<<16}
	if streamed {
		v.meta |= 1 << 15
	}
	return v
}

// skipItem returns where the item at b[p] ends: a value, an attribute without
// what follows it, or a push out of band.
func skipItem(b []byte, p int) int {
	open := 1 // items that belong to the one at p, itself at first, and are not yet passed
	for first := true; open > 0; first = false {
		t := Type(b[p])
		if first || t != TypeAttribute && t != TypePush {
			open--
		}
		switch classes[b[p]] {
		case classBulk:
			n, body := header(b, p)
			switch {
			case n == -1:
				p = body
			case n < 0:
				p = skipChunks(b, body)
			default:
				p = body + n + 2
			}
		case classAggregate:
			n, body := header(b, p)
			p = body
			switch {
			case n == -1:
			case n < 0:
				for b[p] != markEnd {
					p = skipItem(b, p)
				}
				p += 3
			case t.paired():
				open += 2 * n
			default:
				open += n
			}
		default:
			p = lineEnd(b, p+1)
		}
	}
	return p
}

// skipChunks returns where the streamed string ends whose first part is at b[p].
func skipChunks(b []byte, p int) int {
	for {
		n, body := header(b, p)
		if n == 0 {
			return body
		}
		p = body + n + 2
	}
}

// joinChunks returns the text of the streamed string whose first part is at
// b[p]: in place when it is one part, else in new memory.
func joinChunks(b []byte, p int) []byte {
	n, body := header(b, p)
	text := b[body : body+n : body+n]
	if n == 0 {
		return text
	}
	for {
		p = body + n + 2
		if n, body = header(b, p); n == 0 {
			return text
		}
		text = append(text, b[body:body+n]...) // its capacity is its length: append copies
	}
}

// skipAttributes returns where the attributes end that begin at b[p], if any.
func skipAttributes(b []byte, p int) int {
	for p < len(b) && Type(b[p]) == TypeAttribute {
		p = skipItem(b, p)
	}
	return p
}

// attributes returns the attributes that fill b as one value.
func attributes(b []byte) Value {
	if len(b) == 0 {
		return Value{}
	}
	return Value{b[:len(b):len(b)], valueMeta(TypeAttribute)}
}

// each calls yield for the direct children of v until it returns false.
func (v Value) each(yield func(Value) bool) {
	if !v.aggregate() {
		return
	}
	b, p := v.raw, v.meta.at()
	for more := true; more && p < len(b); { // more than once for attributes in a row
		n, body := v.count(p)
		p, more = children(b, body, n, yield)
		if n < 0 {
			p += 3 // the end marker
		}
	}
}

// count reads the header at raw[p] of an aggregate: how many children follow
// it, negative when that is not known.
func (v Value) count(p int) (n, body int) {
	n, body = header(v.raw, p)
	if v.meta.typ().paired() && n > 0 {
		n *= 2
	}
	return n, body
}

// children calls yield for n values from b[p] on, or for those up to the end
// marker when n is negative, until yield returns false. It returns where the
// next byte is, and whether yield would have more.
func children(b []byte, p, n int, yield func(Value) bool) (end int, more bool) {
	for ; n != 0 && b[p] != markEnd; n-- {
		if v := shortBulk(b, p); v.raw != nil {
			if p += len(v.raw); !yield(v) {
				return p, false
			}
			continue
		}
		from, at := element(b, p)
		if b[at] == markEnd {
			return at, true
		}
		v := parseValue(b, from, at, -1)
		p = from + len(v.raw)
		if !yield(v) {
			return p, false
		}
	}
	return p, true
}

// shortBulk returns the value at b[p] if it is a bulk string of less than 100
// bytes, which most elements of most pushes are (BenchmarkValue/op=Keys).
func shortBulk(b []byte, p int) Value {
	if len(b)-p < 6 || Type(b[p]) != TypeBulkString {
		return Value{}
	}
	n, h := int(b[p+1]-'0'), 4
	if n > 9 {
		return Value{}
	}
	if c := b[p+2]; c != '\r' {
		if n, h = n*10+int(c-'0'), 5; b[p+3] != '\r' {
			return Value{}
		}
	}
	end := p + h + n + 2
	return Value{b[p:end:end], valueMeta(TypeBulkString) | valueMeta(h)<<8}
}

// element returns where the next element begins at or behind b[p], with its
// attributes and without: pushes before it are passed over. at is at the end
// marker when no element is left.
func element(b []byte, p int) (from, at int) {
	for {
		at = skipAttributes(b, p)
		if Type(b[at]) != TypePush {
			return p, at
		}
		p = skipItem(b, at)
	}
}

// nestedPushes calls yield for the pushes inside the frame b, whose value
// begins at b[top], until it returns false.
func nestedPushes(b []byte, top int, yield func(Frame) bool) {
	pushesIn(b, 0, 1, top, yield)
}

// pushesIn calls yield for the pushes among and in n values from b[p] on, or
// those up to the end marker when n is negative. It goes as deep as they nest,
// which MaxDepth bounds.
func pushesIn(b []byte, p, n, top int, yield func(Frame) bool) (end int, more bool) {
	for n != 0 && b[p] != markEnd {
		from, at := p, skipAttributes(b, p)
		outOfBand := Type(b[at]) == TypePush && at != top
		if !outOfBand {
			n--
		} else if !yield(nestedPush(b, from, at)) {
			return p, false
		}
		for p < at {
			count, body := header(b, p)
			if p, more = pushesIn(b, body, 2*count, top, yield); !more {
				return p, false
			}
		}
		if p, more = pushesInside(b, at, top, yield); !more {
			return p, false
		}
	}
	return p, true
}

// pushesInside is pushesIn for the children of the one value at b[at].
func pushesInside(b []byte, at, top int, yield func(Frame) bool) (end int, more bool) {
	if classes[b[at]] != classAggregate {
		return skipItem(b, at), true
	}
	count, body := header(b, at)
	switch {
	case count == -1:
		return body, true
	case Type(b[at]).paired():
		count *= 2
	}
	end, more = pushesIn(b, body, count, top, yield)
	if count < 0 {
		end += 3 // the end marker
	}
	return end, more
}

// nestedPush returns the push at b[at] with the attributes before it, which
// begin at b[from].
func nestedPush(b []byte, from, at int) Frame {
	end := skipItem(b, at)
	naming, nameAt, nameEnd := nameNone, 0, 0
	if n, body := header(b, at); n > 0 {
		first, head := element(b, body)
		v := parseValue(b, first, head, -1)
		switch v.Type() {
		case TypeBulkString, TypeVerbatimString, TypeSimpleString:
			if v.meta.streamed() {
				naming = nameStreamed
				break
			}
			naming = nameKnown
			nameAt = first - from + v.meta.body()
			nameEnd = nameAt + len(v.Bytes())
		}
	}
	raw := b[from:end:end]
	return Frame{raw, newFrameMeta(TypePush, naming, holdsPush(raw, at-from), int64(at-from), int64(nameAt), int64(nameEnd))}
}

// holdsPush reports whether there is a push inside the frame b, whose value
// begins at b[top]: in one walk over all values, as a nested push is asked for
// at each depth.
func holdsPush(b []byte, top int) bool {
	for p := 0; p < len(b); {
		switch {
		case Type(b[p]) == TypePush && p != top:
			return true
		case b[p] == markEnd:
			p += 3
		case classes[b[p]] == classAggregate:
			_, p = header(b, p)
		default:
			p = skipItem(b, p)
		}
	}
	return false
}
