// Package scalars checks and converts the values of GraphQL's and AppSync's scalar types (AppSync
// Developer Guide, "GraphQL scalars").
//
// A value is what JSON has: nil, bool, string, int64, float64, []any or map[string]any.
package scalars

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// errInvalid is the error of a value that its type does not have.
var errInvalid = errors.New("invalid value")

// IsAWS reports whether name is that of a scalar of AppSync.
func IsAWS(name string) bool { return strings.HasPrefix(name, "AWS") }

// Parse converts a value that a caller sent, which is not nil, to what is kept of it: an AWSJSON is
// kept as the value that its text holds, all others as they are.
func Parse(name string, value any) (any, error) {
	switch name {
	case "String":
		if text, ok := value.(string); ok {
			return text, nil
		}
	case "ID":
		switch v := value.(type) {
		case string:
			return v, nil
		case int64:
			return strconv.FormatInt(v, 10), nil
		}
	case "Boolean":
		if on, ok := value.(bool); ok {
			return on, nil
		}
	case "Int":
		if n, ok := integer(value); ok && n >= math.MinInt32 && n <= math.MaxInt32 {
			return n, nil
		}
	case "AWSTimestamp":
		if n, ok := integer(value); ok {
			return n, nil
		}
	case "Float":
		switch n := value.(type) {
		case int64:
			return n, nil
		case float64:
			return Number(n), nil
		}
	default:
		text, ok := value.(string)
		if !ok {
			break
		}
		if name == "AWSJSON" {
			return ParseJSON(text)
		}
		if check := texts[name]; check == nil || check(text) {
			return text, nil
		}
	}
	return nil, fmt.Errorf("%w for %s: %v", errInvalid, name, value)
}

// Serialize converts a kept value, which is not nil, to what a caller gets.
func Serialize(name string, value any) (any, error) {
	switch name {
	case "AWSJSON":
		text, err := marshal(value)
		return string(text), err
	case "ID", "String":
		switch v := value.(type) {
		case string:
			return v, nil
		case int64, float64, bool:
			return fmt.Sprint(v), nil
		}
	case "Boolean":
		if on, ok := value.(bool); ok {
			return on, nil
		}
	case "Int", "AWSTimestamp":
		if n, ok := integer(value); ok {
			return n, nil
		}
	case "Float":
		switch value.(type) {
		case int64, float64:
			return value, nil
		}
	default:
		if text, ok := value.(string); ok {
			return text, nil
		}
	}
	return nil, fmt.Errorf("%w for %s", errInvalid, name)
}

func integer(value any) (int64, bool) {
	switch n := value.(type) {
	case int64:
		return n, true
	case float64:
		return int64(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	}
	return 0, false
}

// Number returns n as int64 if it is one, so that equal numbers have equal values.
func Number(n float64) any {
	if i, ok := integer(n); ok {
		return i
	}
	return n
}

// ParseJSON reads a JSON text whose values are those of this package.
func ParseJSON(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, errors.New("there is more after the JSON value")
	}
	return FromJSON(v)
}

// FromJSON converts the numbers of a value that encoding/json decoded with UseNumber.
func FromJSON(value any) (any, error) {
	switch v := value.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return i, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, err
		}
		return Number(f), nil
	case []any:
		for i := range v {
			var err error
			if v[i], err = FromJSON(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for name := range v {
			var err error
			if v[name], err = FromJSON(v[name]); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}

// marshal returns v as compact JSON, with < and its like as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// texts are the checks of the scalars that are texts.
var texts = map[string]func(text string) bool{
	"AWSDate":      isDate,
	"AWSTime":      func(text string) bool { return isClock(text, false) },
	"AWSDateTime":  isDateTime,
	"AWSEmail":     isEmail,
	"AWSURL":       isURL,
	"AWSPhone":     isPhone,
	"AWSIPAddress": isIP,
}

// offset is the end of a date or a time: Z, or hours and minutes, and seconds if need be.
const offset = `(Z|[+-]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?)`

var (
	date  = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)` + offset + `?$`)
	clock = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?` + offset + `?$`)
	phone = regexp.MustCompile(`^\+?[0-9 ().-]+$`)
	// ended tells whether a time has its offset.
	ended = regexp.MustCompile(offset + `$`)
)

func isDate(text string) bool {
	m := date.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	_, err := time.Parse(time.DateOnly, m[1])
	return err == nil
}

func isClock(text string, needsOffset bool) bool {
	return clock.MatchString(text) && (!needsOffset || ended.MatchString(text))
}

func isDateTime(text string) bool {
	day, of, found := strings.Cut(text, "T")
	_, err := time.Parse(time.DateOnly, day)
	return found && err == nil && isClock(of, true)
}

func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}

// isURL wants a scheme, and no // in the path.
func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "") &&
		!strings.Contains(u.Path, "//")
}

// isPhone takes numbers of the North American plan without, and all others with a country code.
func isPhone(text string) bool {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
	if !phone.MatchString(text) {
		return false
	}
	if strings.HasPrefix(text, "+") {
		return len(digits) >= 7 && len(digits) <= 15
	}
	return len(digits) == 10 || len(digits) == 11 && digits[0] == '1'
}

// isIP takes an address of version 4 or 6, and a network of either.
func isIP(text string) bool {
	if _, err := netip.ParsePrefix(text); err == nil {
		return true
	}
	address, err := netip.ParseAddr(text)
	return err == nil && address.Zone() == ""
}
