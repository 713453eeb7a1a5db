package cookieheader

import (
	"strings"
	"unicode/utf8"
)

// Encode percent-encodes all of s except letters, digits and the characters of plain.
func Encode(s, plain string) string {
	isPlain := func(c byte) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte(plain, c) >= 0
	}
	n := 0
	for i := range len(s) {
		if !isPlain(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	if !utf8.ValidString(s) {
		// encodeURIComponent refuses text that is not Unicode, and percent-encoded bytes that are
		// not UTF-8 could not be read back.
		return Encode(strings.ToValidUTF8(s, "\uFFFD"), plain)
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; isPlain(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

// Unquote removes quotes around the value of a cookie.
func Unquote(s string) string {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// Decode undoes percent-encoding. It decodes either all of s or nothing: a text that is not the
// percent-encoding of UTF-8 was written without encoding. Bytes that are not UTF-8 are read as
// Latin-1, since Node.js writes header values in it.
//
// A text that needs no change is returned as it is. Others are stored in arena, or each on its own
// if that is nil.
func Decode(s string, arena *strings.Builder) string {
	plain := strings.IndexByte(s, '%') < 0
	if plain && utf8.ValidString(s) {
		return s
	}
	if arena == nil {
		arena = new(strings.Builder)
	}
	if !plain {
		start := reserve(arena, len(s))
		if unescape(arena, s) {
			if d := arena.String()[start:]; utf8.ValidString(d) {
				return d
			}
		}
		if utf8.ValidString(s) {
			return s
		}
	}
	start := reserve(arena, 2*len(s))
	for i := range len(s) {
		arena.WriteRune(rune(s[i]))
	}
	return arena.String()[start:]
}

// reserve makes room for n bytes in arena, and returns where they begin. A buffer that is full is
// left to the texts in it: to grow it would copy all of them.
func reserve(arena *strings.Builder, n int) (start int) {
	if arena.Cap()-arena.Len() < n {
		arena.Reset()
		arena.Grow(max(512, n)) // enough for the names of a whole session
	}
	return arena.Len()
}

// unescape appends s to b with its percent sequences decoded. It reports whether all of them are
// well formed.
func unescape(b *strings.Builder, s string) bool {
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			b.WriteString(s)
			return true
		}
		if i+2 >= len(s) {
			return false
		}
		hi, lo := unhex(s[i+1]), unhex(s[i+2])
		if hi|lo > 15 {
			return false
		}
		b.WriteString(s[:i])
		b.WriteByte(hi<<4 | lo)
		s = s[i+3:]
	}
}

// unhex returns the value of a hexadecimal digit, or 255.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
