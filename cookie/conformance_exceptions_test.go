package cookie_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

var cookieNamesExceptions = append([]conformance.Rule{
	{
		Name:   "values are encoded",
		Reason: "the original writes values as they are: one with a semicolon ends its cookie and adds attributes",
		Match: func(c conformance.Case) bool {
			value := text(c.In("value"))
			return c.In("kind") == "serialize" && cookie.EncodeValue(value) != value &&
				strings.HasPrefix(text(c.Want("serializeCookie", "value")), cookie.EncodeName(text(c.In("name")))+"="+value+";")
		},
		Instead: func(c conformance.Case) conformance.Case {
			value := text(c.In("value"))
			return c.Expect(strings.Replace(text(c.Want("serializeCookie", "value")), "="+value+";", "="+cookie.EncodeValue(value)+";", 1), "serializeCookie", "value")
		},
	},
	{
		Name:   "SameSite is one of three",
		Reason: "SameSite=true is no value of that attribute (RFC 6265bis §4.1.2.7); http.SameSite cannot say it",
		Match: func(c conformance.Case) bool {
			return c.In("options", "sameSite") == true && strings.Contains(text(c.Want("serializeCookie", "value")), ";SameSite=true")
		},
		Instead: func(c conformance.Case) conformance.Case {
			return c.Expect(strings.Replace(text(c.Want("serializeCookie", "value")), ";SameSite=true", "", 1), "serializeCookie", "value")
		},
	},
}, readingExceptions...)

// readingExceptions are the forms of Cookie headers that the four recorded readers read
// differently. Each rule says which of them are wrong, and what they were recorded to read.
var readingExceptions = []conformance.Rule{
	reading("several cookies of a name", "the original takes the first or the last; here all are candidates, and the one that verifies is taken",
		func(raw []string) (map[string]any, any) {
			if len(raw) < 2 {
				return nil, nil
			}
			all := make([]any, len(raw))
			for i, r := range raw {
				all[i] = unescape(r)
			}
			first, last := all[0], all[len(all)-1]
			return map[string]any{"nextRequestCookies": last, "nextPagesParser": first, "authRoutesAppRouter": raw[len(raw)-1], "jsCookieGet": first}, all
		}),
	reading("quotation marks", "they are not part of the value, as the Pages Router and the browser read it",
		one(func(raw string) (map[string]any, any) {
			inner := strings.TrimSuffix(strings.TrimPrefix(raw, `"`), `"`)
			if len(inner) != len(raw)-2 {
				return nil, nil
			}
			return map[string]any{"nextRequestCookies": unescape(raw), "authRoutesAppRouter": raw}, unescape(inner)
		})),
	reading("malformed percent-encoding", "the value was written by something else, as it is; two readers find no cookie",
		one(func(raw string) (map[string]any, any) {
			if !strings.Contains(raw, "%") || unescape(raw) != raw {
				return nil, nil
			}
			return map[string]any{"nextRequestCookies": nil, "jsCookieGet": nil}, raw
		})),
	reading("percent-encoding", "the App Router's auth routes do not decode values",
		one(func(raw string) (map[string]any, any) {
			if unescape(raw) == raw {
				return nil, nil
			}
			cut, _, _ := strings.Cut(raw, "=")
			return map[string]any{"authRoutesAppRouter": cut}, unescape(raw)
		})),
	reading("equals sign in a value", "a value goes up to the semicolon (RFC 6265bis §5.6); the App Router's auth routes cut it",
		one(func(raw string) (map[string]any, any) {
			cut, _, ok := strings.Cut(raw, "=")
			if !ok {
				return nil, nil
			}
			return map[string]any{"authRoutesAppRouter": cut}, raw
		})),
	{
		Name:   "no equals sign",
		Reason: "browsers send that for a cookie without a name (RFC 6265bis §5.8.3). It is not a cookie of that name",
		Match: func(c conformance.Case) bool {
			return c.In("kind") == "header" && slices.Contains(strings.Split(text(c.In("cookieHeader")), "; "), text(c.In("name"))) &&
				c.Want("nextRequestCookies") == "true" && c.Want("jsCookieGet") == ""
		},
		Instead: func(c conformance.Case) conformance.Case {
			return c.Expect(nil, "nextRequestCookies").Expect(nil, "jsCookieGet")
		},
	},
	{
		Name:   "blanks around the equals sign",
		Reason: "they belong neither to the name nor to the value (RFC 6265bis §5.6), as the Pages Router reads it",
		Match: func(c conformance.Case) bool {
			return c.In("kind") == "header" && regexp.MustCompile(`\s=|=\s`).MatchString(text(c.In("cookieHeader"))) && c.Want("nextRequestCookies") == nil &&
				c.Want("authRoutesAppRouter") == nil && c.Want("jsCookieGet") == nil
		},
		Instead: func(c conformance.Case) conformance.Case {
			value := c.Want("nextPagesParser")
			return c.Expect(value, "nextRequestCookies").Expect(value, "authRoutesAppRouter").Expect(value, "jsCookieGet")
		},
	},
	{
		Name:   "separators of another width",
		Reason: "js-cookie splits document.cookie, which has one blank after each semicolon. Headers may have none or several",
		Match: func(c conformance.Case) bool {
			return c.In("kind") == "header" && regexp.MustCompile(`;(\S|\s\s)`).MatchString(text(c.In("cookieHeader"))) &&
				c.Want("jsCookieGet") == nil && c.Want("nextPagesParser") != nil
		},
		Instead: func(c conformance.Case) conformance.Case { return c.Expect(c.Want("nextPagesParser"), "jsCookieGet") },
	},
}

// reading returns a rule for headers in which the values of the cookie, as they are written, have a
// certain form: form tells what some readers were recorded to read, and what we read; nil for
// values of another form.
func reading(name, reason string, form func(raw []string) (theirs map[string]any, ours any)) conformance.Rule {
	judge := func(c conformance.Case) (map[string]any, any) {
		var raw []string
		if c.In("kind") != "header" {
			return nil, nil
		}
		for pair := range strings.SplitSeq(text(c.In("cookieHeader")), ";") {
			if name, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && name == c.In("name") {
				raw = append(raw, value)
			}
		}
		return form(raw)
	}
	return conformance.Rule{
		Name: name, Reason: reason,
		Match: func(c conformance.Case) bool {
			theirs, _ := judge(c)
			for reader, value := range theirs {
				if c.Want(reader) != value {
					return false
				}
			}
			return theirs != nil
		},
		Instead: func(c conformance.Case) conformance.Case {
			theirs, ours := judge(c)
			for reader := range theirs {
				c = c.Expect(ours, reader)
			}
			return c
		},
	}
}

// one is form of [reading] for headers with one cookie of the name.
func one(form func(raw string) (map[string]any, any)) func([]string) (map[string]any, any) {
	return func(raw []string) (map[string]any, any) {
		if len(raw) != 1 {
			return nil, nil
		}
		return form(raw[0])
	}
}

// unescape decodes percent-encoding if it is well formed.
func unescape(s string) string {
	decoded, err := url.PathUnescape(s)
	if err != nil || strings.ToValidUTF8(decoded, "") != decoded {
		return s
	}
	return decoded
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

var setCookieExceptions = []conformance.Rule{
	{
		Name:   "deletions reach their cookies",
		Reason: "the original deletes without the Path and Domain of the cookie, so that browsers keep it",
		Match:  func(c conformance.Case) bool { return len(outlived(c)) > 0 },
		Instead: func(c conformance.Case) conformance.Case {
			gone := outlived(c)
			return editJar(c, func(k map[string]any) bool { return !slices.Contains(gone, cookie.DecodeName(text(k["name"]))) })
		},
	},
	{
		Name:   "values are encoded",
		Reason: "the original writes values as they are: the browser keeps what comes before the semicolon",
		Match:  func(c conformance.Case) bool { return len(cutValues(c)) > 0 },
		Instead: func(c conformance.Case) conformance.Case {
			whole := cutValues(c)
			return editJar(c, func(k map[string]any) bool {
				if value, ok := whole[cookie.DecodeName(text(k["name"]))]; ok {
					k["value"] = cookie.EncodeValue(value)
				}
				return true
			})
		},
	},
}

// recordedJar returns the jar of a case of browser-set-cookie.json.
func recordedJar(c conformance.Case) (jar []map[string]any) {
	list, _ := c.Want("jar").([]any)
	for _, v := range list {
		k, _ := v.(map[string]any)
		jar = append(jar, k)
	}
	return jar
}

// editJar returns c with the cookies of the jar that keep keeps, which may change them, and with
// the Cookie header that follows.
func editJar(c conformance.Case, keep func(map[string]any) bool) conformance.Case {
	jar, values := []any{}, map[string]string{}
	for _, k := range recordedJar(c) {
		if keep(k) {
			jar = append(jar, k)
			values[text(k["name"])] = text(k["value"])
		}
	}
	var pairs []string
	for name := range cookie.Parse([]string{text(c.Want("cookieHeaderOfNextRequestToPage"))}) {
		if value, ok := values[name]; ok {
			pairs = append(pairs, name+"="+value)
		}
	}
	return c.Expect(jar, "jar").Expect(strings.Join(pairs, "; "), "cookieHeaderOfNextRequestToPage")
}

// outlived returns the keys that the original deletes and the browser keeps, with what it had.
func outlived(c conformance.Case) (keys []string) {
	in, _, err := decodeSetCookieCase(c)
	if err != nil {
		return nil
	}
	writes, _, err := recordedWrites(in)
	if err != nil {
		return nil
	}
	j := newJar(in.Origin, time.Now())
	for _, line := range in.InitialSetCookie {
		j.set(line, "/", false)
	}
	before := j.cookies()
	for _, k := range recordedJar(c) {
		var last write
		key := cookie.DecodeName(text(k["name"]))
		for _, w := range writes {
			if w.key == key {
				last = w
			}
		}
		untouched := slices.ContainsFunc(before, func(b kept) bool { return conformance.Diff(mustMarshal(b), k) == nil })
		if last.deleted && untouched {
			keys = append(keys, key)
		}
	}
	return keys
}

// cutValues returns the values that the original writes and of which the browser keeps a part, by
// key.
func cutValues(c conformance.Case) map[string]string {
	in, _, err := decodeSetCookieCase(c)
	if err != nil {
		return nil
	}
	writes, _, err := recordedWrites(in)
	if err != nil {
		return nil
	}
	whole := map[string]string{}
	for _, k := range recordedJar(c) {
		for _, w := range writes {
			cut, _, ok := strings.Cut(w.value, ";")
			if w.key == cookie.DecodeName(text(k["name"])) && ok && k["value"] == cut {
				whole[w.key] = w.value
			}
		}
	}
	return whole
}

var browserExceptions = []conformance.Rule{
	{
		Name:   "parentheses in names",
		Reason: "the browser escapes parentheses in names, the original's server does not look for that: such users are signed out there",
		Match: func(c conformance.Case) bool {
			return len(misread(c, func(header string, read map[string]any) bool {
				return regexp.MustCompile(`%2[89][^=]*\.accessToken=`).MatchString(header) && read["error"] != nil
			})) > 0
		},
		Instead: func(c conformance.Case) conformance.Case {
			return readRight(c, func(_ string, read map[string]any) bool { return read["error"] != nil })
		},
	},
	{
		Name:   "usernames like keys",
		Reason: "the original looks for names of keys anywhere in names of cookies: there it does not find a user called x.accessToken",
		Match: func(c conformance.Case) bool {
			users, _ := c.In("users").(map[string]any)
			for name := range users {
				if sessionkey.IsSession(name) {
					return len(misread(c, isEmptyRead)) > 0
				}
			}
			return false
		},
		Instead: func(c conformance.Case) conformance.Case { return readRight(c, isEmptyRead) },
	},
	{
		Name:    "several cookies of a name",
		Reason:  "the Pages Router takes the first, which may be a stale one of a longer path. Here all are candidates, and the one that verifies is taken",
		Match:   func(c conformance.Case) bool { return len(misread(c, isFirstRead)) > 0 },
		Instead: func(c conformance.Case) conformance.Case { return readRight(c, isFirstRead) },
	},
}

// isEmptyRead reports whether the original finds a user without a name.
func isEmptyRead(_ string, read map[string]any) bool {
	result, ok := read["result"].(map[string]any)
	return ok && len(result) == 0
}

// isFirstRead reports whether the Pages Router finds no user in a header that has cookies twice.
func isFirstRead(header string, read map[string]any) bool {
	seen := map[string]bool{}
	for name := range cookie.Parse([]string{header}) {
		if seen[name] && strings.HasPrefix(name, sessionkey.ClientPrefix) {
			return read["context"] == "getServerSideProps" && read["error"] != nil
		}
		seen[name] = true
	}
	return false
}

// misread returns the indexes of server reads that wrong says are wrong, given the Cookie header
// and what was read.
func misread(c conformance.Case, wrong func(header string, read map[string]any) bool) (indexes []int) {
	steps, _ := c.Want("steps").([]any)
	reads, _ := c.Want("serverReads").([]any)
	for i, v := range reads {
		read, _ := v.(map[string]any)
		n, _ := read["step"].(float64)
		if int(n) >= len(steps) {
			continue
		}
		step, _ := steps[int(n)].(map[string]any)
		if header := text(step["cookieHeader"]); header != "" && wrong(header, read) {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// readRight returns c with the user of the Cookie header in place of what wrong says is wrong.
func readRight(c conformance.Case, wrong func(string, map[string]any) bool) conformance.Case {
	steps, _ := c.Want("steps").([]any)
	reads, _ := c.Want("serverReads").([]any)
	for _, i := range misread(c, wrong) {
		read, _ := reads[i].(map[string]any)
		n, _ := read["step"].(float64)
		step, _ := steps[int(n)].(map[string]any)
		delete(read, "error")
		read["result"] = userOf(c, text(step["cookieHeader"]))
	}
	return c.Expect(reads, "serverReads")
}

// userOf returns the user of the last session in a Cookie header: what the access token says, and
// how they have signed in.
func userOf(c conformance.Case, header string) map[string]any {
	user := map[string]any{}
	for name, value := range cookie.Parse([]string{header}) {
		switch {
		case strings.HasSuffix(name, ".accessToken") && strings.HasPrefix(value, "{{token:"):
			token := strings.TrimSuffix(strings.TrimPrefix(value, "{{token:"), "}}")
			user["username"] = c.In("tokens", token, "claims", "username")
			user["userId"] = c.In("tokens", token, "claims", "sub")
		case strings.HasSuffix(name, ".signInDetails"):
			var details any
			if json.Unmarshal([]byte(cookie.DecodeValue(value)), &details) == nil {
				user["signInDetails"] = details
			}
		}
	}
	return user
}
