package cookie

import (
	"errors"
	"fmt"
)

// ErrReadOnly is returned for a write that cannot reach the browser: the header of the response
// has gone, or there is no response.
var ErrReadOnly = errors.New("cookie: the response takes no cookies: " +
	"its header has gone, or there is none")

// ErrTooManyCookies is returned for a deletion that would bring a response to more than
// [MaxSetCookies] Set-Cookie lines.
var ErrTooManyCookies = errors.New("cookie: one response deletes no more than 100 cookies")

// TooLargeError is returned for a value that browsers do not keep.
type TooLargeError struct {
	Key  string
	Size int // bytes of name, "=" and encoded value
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("cookie: %q would take %d bytes, browsers keep %d at most: "+
		"give tokens fewer custom attributes, groups or claims", e.Key, e.Size, MaxSize)
}

// ValueTooLarge does nothing. It marks the error as one about the size of a value, for callers
// that look for an interface with this method (by [errors.As]) and do not know this package.
func (*TooLargeError) ValueTooLarge() {}

// OptionError is one fault of [Options].
type OptionError struct {
	Field   string // the name of the field in Options, such as "Domain"
	Value   string // the field's value as text
	Problem string // what is wrong with it, and what to write instead
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("cookie: Options.%s is %q: %s", e.Field, e.Value, e.Problem)
}
