package storageaccess

import (
	"strings"
	"unicode/utf8"
)

// matches reports whether a pattern of the outputs covers key. The right to list is given for
// prefixes: those that "p/*" matches, and "p/" itself.
func matches(pattern, identityID string, action Action, key string) bool {
	p, ok := parse(pattern, identityID)
	if !ok {
		return false
	}
	return p.match(key) ||
		action == List && strings.HasSuffix(pattern, "/*") && p[:len(p)-1].match(key)
}

// element is a part of a pattern: one character, "?" for any one, "*" for any number of any.
type element struct {
	char     rune
	one, any bool
}

type elements []element

// parse reads an IAM pattern. A variable stands for the caller's value, as it is: "*" and "?" in it
// have no meaning. Without a value nothing matches, and ok is false.
//
// Source: IAM User Guide, "IAM policy elements: Variables and tags".
func parse(pattern, identityID string) (p elements, ok bool) {
	for rest := pattern; rest != ""; {
		if end := strings.IndexByte(rest, '}'); strings.HasPrefix(rest, "${") && end > 0 {
			value, ok := variable(rest[len("${"):end], identityID)
			if !ok {
				return nil, false
			}
			for _, char := range value {
				p = append(p, element{char: char})
			}
			rest = rest[end+1:]
			continue
		}
		char, size := utf8.DecodeRuneInString(rest)
		p = append(p, element{char: char, one: char == '?', any: char == '*'})
		rest = rest[size:]
	}
	return p, true
}

// variable returns the value of ${name}, or the default that ${name, 'default'} gives.
func variable(name, identityID string) (value string, ok bool) {
	switch name {
	case "*", "?", "$":
		return name, true
	}
	name, fallback, hasFallback := strings.Cut(name, ",")
	if "${"+name+"}" == identityVariable && identityID != "" {
		return identityID, true
	}
	return strings.Trim(strings.TrimSpace(fallback), "'"), hasFallback
}

// match reports whether all of key fits. It takes time in proportion to the product of their
// lengths at most: after a mismatch only the last "*" takes one character more.
func (p elements) match(key string) bool {
	chars := []rune(key)
	star, retry := -1, 0
	i, k := 0, 0
	for k < len(chars) {
		switch {
		case i < len(p) && p[i].any:
			star, retry = i, k
			i++
		case i < len(p) && (p[i].one || p[i].char == chars[k]):
			i++
			k++
		case star >= 0:
			retry++
			i, k = star+1, retry
		default:
			return false
		}
	}
	for i < len(p) && p[i].any {
		i++
	}
	return i == len(p)
}
