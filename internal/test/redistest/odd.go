package redistest

// Odd lists commands that Redis 7.0.15 answers in RESP3 with lines whose text does not fit their type, and the bytes of
// the answers.
var Odd = []struct {
	Command []string
	Answer  string
}{
	{[]string{"EVAL", "redis.setresp(3); return {big_number='NaN'}", "0"}, "(NaN\r\n"},
	{[]string{"EVAL", "redis.setresp(3); return {big_number='12 34'}", "0"}, "(12 34\r\n"},
	{[]string{"EVAL", "redis.setresp(3); return {big_number='1.5'}", "0"}, "(1.5\r\n"},
	{[]string{"EVAL", "redis.setresp(3); return {big_number=''}", "0"}, "(\r\n"},
	{[]string{"EVAL", "redis.setresp(3); return {1, {big_number='NaN'}}", "0"}, "*2\r\n:1\r\n(NaN\r\n"},
	{[]string{"EVAL", "#!lua \"a\\nb\"\nreturn 1", "0"}, "-ERR Unknown lua shebang option: a\nb\r\n"},
}
