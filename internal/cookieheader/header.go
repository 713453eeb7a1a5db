package cookieheader

import (
	"iter"
	"strings"
)

// MaxSize is the greatest size of a cookie: the bytes of name, "=" and encoded value.
const MaxSize = 4096

// MaxHeaderSize is the greatest Cookie header that is read: the bytes of all its lines.
const MaxHeaderSize = 64 << 10

// TooLarge reports whether lines have more than [MaxHeaderSize] bytes.
func TooLarge(lines []string) bool {
	size := 0
	for _, line := range lines {
		size += len(line)
	}
	return size > MaxHeaderSize
}

// Parse yields the name and the value of each cookie in lines, in order and with duplicates.
// Nothing is decoded or copied. Cookies without a name are left out.
func Parse(lines []string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, line := range lines {
			for line = skip(line); line != ""; line = skip(line) {
				var name, value string
				name, value, line = Cut(line)
				if name != "" && !yield(name, value) {
					return
				}
			}
		}
	}
}

// Keys calls yield for each cookie whose name stands for a key that begins with prefix, with the
// key and the value as it is written. What is decoded is stored in arena. It reports whether it
// came to the end: yield stops it by returning false.
func Keys(
	lines []string, prefix string, arena *strings.Builder, yield func(key, value string) bool,
) bool {
	for _, line := range lines {
		for line = skip(line); line != ""; line = skip(line) {
			var name, value string
			name, value, line = Cut(line)
			if key, ok := match(name, prefix, arena); ok && !yield(key, value) {
				return false
			}
		}
	}
	return true
}

// match returns the key that name stands for, if it begins with prefix. It decides about the names
// of most other cookies without decoding them.
func match(name, prefix string, arena *strings.Builder) (key string, ok bool) {
	if !strings.HasPrefix(name, prefix) {
		for i := range min(len(name), len(prefix)) {
			if c := name[i]; c != prefix[i] {
				if c != '%' && c < 0x80 {
					return "", false
				}
				break // it may be the prefix in another spelling
			}
		}
	}
	key = Decode(name, arena)
	return key, key != "" && strings.HasPrefix(key, prefix)
}

// Cut returns name and value of the first cookie in line, and what follows it. The name is empty if
// the cookie has none.
func Cut(line string) (name, value, rest string) {
	end, equals := -1, -1
	// Many cookies are short. For these a loop beats two searches.
	const short = 16
	for i := 0; i < len(line) && i < short; i++ {
		if line[i] == ';' {
			end = i
			break
		}
		if line[i] == '=' && equals < 0 {
			equals = i
		}
	}
	if end < 0 && len(line) > short {
		if end = strings.IndexByte(line[short:], ';'); end >= 0 {
			end += short
		}
	}
	pair := line
	if end >= 0 {
		pair, rest = line[:end], line[end+1:]
	}
	if equals < 0 {
		if equals = strings.IndexByte(pair, '='); equals < 0 {
			return "", "", rest
		}
	}
	return Trim(pair[:equals]), Trim(pair[equals+1:]), rest
}

// skip removes the separators and blanks that line begins with: cookies that are empty.
func skip(line string) string {
	i := 0
	for i < len(line) && (line[i] == ';' || line[i] == ' ' || line[i] == '\t') {
		i++
	}
	return line[i:]
}

// Trim removes blanks and tabs around s (RFC 6265bis §5.6).
func Trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
