package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// minSecret is the length in bytes from which on a text is taken out of answers. A shorter one may
// stand in them by chance.
const minSecret = 8

// redact takes out of an answer what r sent to authorize the call: errors quote no secrets. A
// scheme before a token, such as "Bearer", may be missing in the answer.
func (r *request) redact(answer []byte) []byte {
	header := r.header.Get(authorization)
	secrets := append([]string{header, r.header.Get(apiKey)}, strings.Fields(header)...)
	if r.credentials != nil {
		secrets = append(secrets, r.credentials.SessionToken)
	}
	answer = unescape(answer)
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			answer = bytes.ReplaceAll(answer, []byte(secret), []byte("[redacted]"))
			answer = bytes.ReplaceAll(answer, escape(secret), []byte("[redacted]"))
		}
	}
	return answer
}

// escape returns s as it stands in JSON, with no more escapes than it needs.
func escape(s string) []byte {
	quoted, _ := json.Marshal(s) // which cannot fail
	return unescape(quoted[1 : len(quoted)-1])
}

// unescape returns JSON without the escapes that it does not need, such as "\/" and "\u002b", in
// which a text may hide.
func unescape(raw []byte) []byte {
	if !bytes.ContainsRune(raw, '\\') {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		switch rest := raw[i:]; {
		case rest[0] != '\\' || len(rest) == 1:
			out = append(out, rest[0])
		case rest[1] == '/':
			out, i = append(out, '/'), i+1
		case rest[1] == 'u' && len(rest) >= len(`\u0000`):
			n, err := strconv.ParseUint(string(rest[2:6]), 16, 16)
			c := rune(n)
			switch {
			case err != nil || c < ' ' || utf16.IsSurrogate(c):
				out, i = append(out, rest[:2]...), i+1
				continue
			case c == '"' || c == '\\':
				out = append(out, '\\')
			}
			out, i = utf8.AppendRune(out, c), i+5
		default:
			out, i = append(out, rest[:2]...), i+1
		}
	}
	return out
}

// redactError returns err, or its text if that quotes a secret: an error of a decoder may quote the
// value that it has refused.
func (r *request) redactError(err error) error {
	if err == nil {
		return nil
	}
	text := []byte(err.Error())
	if redacted := r.redact(text); !bytes.Equal(redacted, text) {
		return errors.New(string(redacted))
	}
	return err
}
