package access

import (
	"strings"
	"unicode/utf8"
)

// identityVariable is the policy variable for the id of the caller's identity.
const identityVariable = "${cognito-identity.amazonaws.com:sub}"

// pattern is a text of an IAM policy: "*" stands for any characters, "/" among them, "?" for one,
// and ${…} for a value of the caller (IAM User Guide, "Policy elements: variables and tags").
type pattern []token

type token struct {
	kind rune // literal, one, anything, identity or nothing
	char rune
}

const (
	literal  rune = 0
	one      rune = '?'
	anything rune = '*'
	identity rune = '$'
	nothing  rune = '!' // a variable that the caller has no value for: matches nothing
)

func parsePattern(text string) pattern {
	var p pattern
	for text != "" {
		if inner, rest, found := cutVariable(text); found {
			p = append(p, variable(inner)...)
			text = rest
			continue
		}
		char, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch char {
		case '*':
			p = append(p, token{kind: anything})
		case '?':
			p = append(p, token{kind: one})
		default:
			p = append(p, token{char: char})
		}
	}
	return p
}

// cutVariable cuts ${inner} off the beginning of text.
func cutVariable(text string) (inner, rest string, found bool) {
	text, found = strings.CutPrefix(text, "${")
	if !found {
		return "", "", false
	}
	return strings.Cut(text, "}")
}

// variable returns what ${inner} matches. A default value stands in
// quotes after a comma. ${*}, ${?} and ${$} are the characters themselves.
func variable(inner string) pattern {
	switch inner {
	case "*", "?", "$":
		return literals(inner)
	case "cognito-identity.amazonaws.com:sub":
		return pattern{{kind: identity}}
	}
	if _, value, found := strings.Cut(inner, ","); found {
		value = strings.TrimSpace(value)
		if len(value) >= 2 && value[0] == '\'' && value[len(value)-1] == '\'' {
			return literals(value[1 : len(value)-1])
		}
	}
	return pattern{{kind: nothing}}
}

func literals(text string) pattern {
	var p pattern
	for _, char := range text {
		p = append(p, token{char: char})
	}
	return p
}

// matches tells whether the whole text matches for the caller.
func (p pattern) matches(text string, c Caller) bool {
	var tokens pattern
	for _, t := range p {
		switch {
		case t.kind == identity && c.IdentityID != "":
			tokens = append(tokens, literals(c.IdentityID)...)
		case t.kind == identity || t.kind == nothing:
			return false
		default:
			tokens = append(tokens, t)
		}
	}
	// The last "*" takes one more character whenever what follows it does not fit.
	chars := []rune(text)
	i, j, star, mark := 0, 0, -1, 0
	for i < len(chars) {
		switch {
		case j < len(tokens) && tokens[j].kind == anything:
			star, mark = j, i
			j++
		case j < len(tokens) && (tokens[j].kind == one || tokens[j].char == chars[i]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(tokens) && tokens[j].kind == anything {
		j++
	}
	return j == len(tokens)
}
