package main

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parseCurl reads the commands that developer tools copy as cURL, for a POSIX shell or for the
// Command Prompt of Windows; several of them if they were copied together. Errors quote nothing.
func parseCurl(text string) ([]*http.Request, error) {
	split := splitPOSIX
	if isWindows(text) {
		split = splitWindows
	}
	commands, err := split(text)
	if err != nil {
		return nil, err
	}
	if len(commands) > maxRequests {
		return nil, errManyRequests
	}
	var requests []*http.Request
	for _, words := range commands {
		r, err := curlRequest(words)
		if err != nil {
			return nil, err
		}
		requests = append(requests, r)
	}
	return requests, nil
}

// isCurl reports whether a text begins with a command of cURL.
func isCurl(text string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return word == "curl" || word == "curl.exe"
}

// isWindows reports whether commands are for the Command Prompt, which has no single quotes and
// escapes by "^".
func isWindows(text string) bool {
	switch at := strings.IndexAny(text, `'"^`); {
	case at < 0:
		return false
	case text[at] == '"':
		return strings.Contains(text, "^\n") || strings.Contains(text, "^\r\n")
	default:
		return text[at] == '^'
	}
}

// curlShort are the one-letter options of curl that take a value (curl(1)).
const curlShort = "AbcCdDeEFHKmoPQrtTuUwxXyYz"

// curlLong are the options with a value that developer tools and people write in full.
var curlLong = []string{
	"--cacert", "--cert", "--config", "--connect-timeout", "--connect-to", "--cookie", "--cookie-jar",
	"--data", "--data-ascii", "--data-binary", "--data-raw", "--data-urlencode", "--form", "--header",
	"--interface", "--json", "--key", "--max-redirs", "--max-time", "--oauth2-bearer", "--output",
	"--proxy", "--proxy-header", "--range", "--referer", "--request", "--resolve", "--retry",
	"--upload-file", "--url", "--user", "--user-agent", "--write-out",
}

// curlRequest returns the request that a command sends, without its body.
func curlRequest(words []string) (*http.Request, error) {
	if len(words) == 0 || !isCurl(words[0]) {
		return nil, errors.New("a command is none of curl: copy the request by \"Copy as cURL\"")
	}
	method, address, header := http.MethodGet, "", http.Header{}
	for words = words[1:]; len(words) > 0; words = words[1:] {
		option, value, given := curlOption(words[0])
		if !given && takesValue(option) {
			if len(words) < 2 {
				return nil, errors.New("the curl command ends in the middle: copy all of it")
			}
			words = words[1:]
			value = words[0]
		}
		switch option {
		case "", "--url":
			address = value
		case "-X", "--request":
			method = value
		case "-H", "--header":
			name, text, _ := strings.Cut(value, ":")
			header.Add(strings.TrimSpace(name), strings.TrimSpace(text))
		case "-b", "--cookie":
			if value != "" && !strings.Contains(value, "=") {
				return nil, errors.New("the curl command reads its cookies from a file: " +
					"write them into the command, or their header into a --cookie-file")
			}
			header.Add("Cookie", value)
		case "--oauth2-bearer":
			header.Set("Authorization", "Bearer "+value)
		}
	}
	return newRequest(method, address, header)
}

// curlOption splits a word of a command into an option and the value that it carries along, as in
// -XPOST. A word that is no option is the value of "".
func curlOption(word string) (option, value string, given bool) {
	switch {
	case !strings.HasPrefix(word, "-") || word == "-":
		return "", word, true
	case strings.HasPrefix(word, "--"):
		return word, "", false
	}
	for i := 1; i < len(word); i++ { // several letters may share a dash; the last may take a value
		if strings.Contains(curlShort, word[i:i+1]) {
			return "-" + word[i:i+1], word[i+1:], i+1 < len(word)
		}
	}
	return word, "", false
}

func takesValue(option string) bool {
	if strings.HasPrefix(option, "--") {
		return slices.Contains(curlLong, option)
	}
	return len(option) == 2 && strings.Contains(curlShort, option[1:])
}

var errOpenQuote = errors.New("a quote of the curl command is not closed: copy all of it")

// splitPOSIX splits commands as a POSIX shell does, as far as developer tools write them: with
// 'quotes', "quotes" and backslashes, and with $'quotes', which are bash's.
func splitPOSIX(text string) (commands [][]string, err error) {
	var (
		words []string
		word  strings.Builder
		begun bool // an empty word is one, too
	)
	endWord := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	endCommand := func() {
		if endWord(); len(words) > 0 {
			commands = append(commands, words)
		}
		words = nil
	}
	for len(text) > 0 {
		c := text[0]
		switch {
		case strings.HasPrefix(text, "\\\n"), strings.HasPrefix(text, "\\\r\n"): // the line goes on
			_, text, _ = strings.Cut(text, "\n")
			continue
		case c == ' ' || c == '\t' || c == '\r':
			endWord()
		case c == '\n' || c == ';' || c == '&':
			endCommand()
		case c == '\'':
			quoted, rest, ok := strings.Cut(text[1:], "'")
			if !ok {
				return nil, errOpenQuote
			}
			word.WriteString(quoted)
			begun, text = true, rest
			continue
		case c == '"', strings.HasPrefix(text, "$'"):
			unquote := unquoteDouble
			if c == '$' {
				text, unquote = text[1:], unquoteANSI
			}
			if text, err = unquote(&word, text[1:]); err != nil {
				return nil, err
			}
			begun = true
			continue
		case c == '\\' && len(text) > 1:
			text = text[1:]
			fallthrough
		default:
			word.WriteByte(text[0])
			begun = true
		}
		text = text[1:]
	}
	endCommand()
	return commands, nil
}

// unquoteDouble writes what stands before the closing double quote, and returns what follows that.
func unquoteDouble(word *strings.Builder, text string) (rest string, err error) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return text[i+1:], nil
		case c == '\\' && i+1 < len(text) && strings.IndexByte("\"\\$`\n", text[i+1]) >= 0:
			if i++; text[i] != '\n' {
				word.WriteByte(text[i])
			}
		default:
			word.WriteByte(c)
		}
	}
	return "", errOpenQuote
}

// unquoteANSI is unquoteDouble for $'…' (Bash Reference Manual, "ANSI-C Quoting").
func unquoteANSI(word *strings.Builder, text string) (rest string, err error) {
	for len(text) > 0 {
		c := text[0]
		text = text[1:]
		switch {
		case c == '\'':
			return text, nil
		case c != '\\' || text == "":
			word.WriteByte(c)
			continue
		}
		c, text = text[0], text[1:]
		if at := strings.IndexByte(`abefnrtv`, c); at >= 0 {
			word.WriteByte("\a\b\x1b\f\n\r\t\v"[at])
			continue
		}
		most, base := 0, 16
		switch {
		case c == 'x':
			most = 2
		case c == 'u':
			most = 4
		case c == 'U':
			most = 8
		case '0' <= c && c <= '7':
			text, most, base = string(c)+text, 3, 8
		}
		digits := 0
		for digits < min(most, len(text)) {
			if _, err := strconv.ParseUint(text[digits:digits+1], base, 8); err != nil {
				break
			}
			digits++
		}
		if digits == 0 {
			if c != '\\' && c != '\'' && c != '"' && c != '?' {
				word.WriteByte('\\')
			}
			word.WriteByte(c)
			continue
		}
		code, _ := strconv.ParseUint(text[:digits], base, 32) // which has that many digits
		text = text[digits:]
		if c == 'u' || c == 'U' {
			word.Write(utf8.AppendRune(nil, rune(code)))
		} else {
			word.WriteByte(byte(code))
		}
	}
	return "", errOpenQuote
}

// splitWindows splits commands as Windows does: the Command Prompt takes the carets away, and the
// program splits what remains at blanks outside of double quotes.
func splitWindows(text string) (commands [][]string, err error) {
	var line strings.Builder
	quoted := false // for the Command Prompt: carets are text then
	endCommand := func() error {
		words, err := splitArguments(line.String())
		if len(words) > 0 {
			commands = append(commands, words)
		}
		line.Reset()
		return err
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '^' && !quoted:
			if i++; i == len(text) {
				break
			}
			if text[i] == '\n' { // the line goes on, unless the next one is empty: a line break
				if !strings.HasPrefix(text[i+1:], "\n") {
					continue
				}
				i++
			}
			line.WriteByte(text[i])
		case c == '\n' || c == '&' && !quoted:
			quoted = false // quotes end with the line
			if err := endCommand(); err != nil {
				return nil, err
			}
		default:
			quoted = quoted != (c == '"')
			line.WriteByte(c)
		}
	}
	return commands, endCommand()
}

// splitArguments splits a command line as programs on Windows do
// (https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments).
func splitArguments(line string) (words []string, err error) {
	var word strings.Builder
	begun, quoted := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case (c == ' ' || c == '\t') && !quoted:
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
			continue
		case c == '\\':
			n := len(line[i:]) - len(strings.TrimLeft(line[i:], `\`))
			if i += n; i == len(line) || line[i] != '"' { // they are what they seem
				word.WriteString(strings.Repeat(`\`, n))
				i--
			} else if word.WriteString(strings.Repeat(`\`, n/2)); n%2 == 1 {
				word.WriteByte('"')
			} else {
				i--
			}
		case c == '"' && quoted && strings.HasPrefix(line[i+1:], `"`): // a quote within quotes
			i++
			word.WriteByte('"')
		case c == '"':
			quoted = !quoted
		default:
			word.WriteByte(c)
		}
		begun = true
	}
	if quoted {
		return nil, errOpenQuote
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}
