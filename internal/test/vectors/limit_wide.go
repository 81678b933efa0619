package vectors

import "math"

// wideCases have limits that need a 64-bit int. Where int is smaller, there are
// no such cases. A sum that overflows int64 exceeds every limit, even the
// largest, and is reported as the largest int64.
func wideCases() []Case {
	if math.MaxInt < math.MaxInt64 {
		return nil
	}
	const most, frame = math.MaxInt64, math.MaxUint32
	all := allOf(math.MaxInt)
	all.MaxFrame = math.MaxInt >> 31 // frame, where int has 64 bits
	return []Case{
		{"wide-bulk-meets-default-frame", "$9223372036854775807\r\n", bulkOf(math.MaxInt), over(maxFrame, 1<<30, most, 0)},
		{"wide-bulk-meets-wide-frame", "$9223372036854775807\r\n", all, over(maxFrame, frame, most, 0)},
		{"wide-bulk-sum-is-max", "$9223372036854775783\r\n", all, over(maxFrame, frame, most, 0)},
		{"wide-bulk-sum-is-max-minus-one", "$9223372036854775782\r\n", all, over(maxFrame, frame, most-1, 0)},
		{"wide-bulk-fits", "$4294967280\r\n", all, more()},
		{"wide-bulk-plus-one", "$4294967281\r\n", all, over(maxFrame, frame, frame+1, 0)},
		{"wide-bulk-wraps-32-bits", "$4294967296\r\n", all, over(maxFrame, frame, frame+16, 0)},
		{"wide-chunk-meets-wide-frame", "$?\r\n;9223372036854775807\r\n", all, over(maxFrame, frame, most, 4)},
		{"wide-chunks-meet-wide-bulk", "$?\r\n;1\r\na\r\n;9223372036854775807\r\n", all, over(maxBulk, most, most, 11)},
		{"wide-chunks-fit-wide-bulk", "$?\r\n;1\r\na\r\n;9223372036854775806\r\n", all, over(maxFrame, frame, most, 11)},
		{"wide-array", "*9223372036854775807\r\n", all, more()},
		{"wide-array-plus-one", "*9223372036854775807\r\n*1\r\n", all, over(maxElements, most, most, 22)},
		{"wide-array-plus-empty", "*9223372036854775807\r\n*0\r\n", all, more()},
		{"wide-array-wraps-32-bits", "*4294967296\r\n:1\r\n", all, more()},
		{"wide-map", "%4611686018427387903\r\n*1\r\n", all, more()},
		{"wide-map-plus-two", "%4611686018427387903\r\n*2\r\n", all, over(maxElements, most, most, 22)},
		{"wide-map-half-plus-one", "%4611686018427387904\r\n", all, bad(errLength, 19)},
		{"wide-streamed-in-full-array", "*9223372036854775807\r\n*?\r\n:", all, over(maxElements, most, most, 26)},
		{"wide-attribute-then-array", "|1\r\n+k\r\n+v\r\n*9223372036854775806\r\n", all, over(maxElements, most, most, 12)},
	}
}
