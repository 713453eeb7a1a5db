package cookie_test

import (
	"cmp"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jar is what a browser does with cookies, after RFC 6265bis §5, as far as the recorded cases go.
// TestBrowserJar compares it with the recorded jars of a real browser.
type jar struct {
	origin *url.URL
	now    time.Time
	kept   []kept // in the order of creation
}

// kept is a cookie in a jar, in the shape of the recorded jars.
type kept struct {
	Name          string   `json:"name"`
	Value         string   `json:"value"`
	Domain        string   `json:"domain"`
	Path          string   `json:"path"`
	Secure        bool     `json:"secure"`
	HTTPOnly      bool     `json:"httpOnly"`
	SameSite      string   `json:"sameSite"`
	ExpiresInDays *float64 `json:"expiresInDays"`
}

func newJar(origin string, now time.Time) *jar {
	u, err := url.Parse(origin)
	if err != nil {
		panic(err) // of a recorded case
	}
	return &jar{origin: u, now: now}
}

// secure reports whether the origin takes Secure cookies: browsers take localhost for trustworthy.
func (j *jar) secure() bool {
	return j.origin.Scheme == "https" || j.origin.Hostname() == "localhost"
}

// set takes a Set-Cookie line of a response to a request for path, or what a script on that page
// assigns to document.cookie. It follows the steps of §5.6 and §5.7.
func (j *jar) set(line, path string, script bool) {
	for i := range len(line) {
		if line[i] < ' ' && line[i] != '\t' || line[i] == 0x7f {
			return
		}
	}
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		name, value = "", pair
	}
	c := kept{Name: strings.Trim(name, " \t"), Value: strings.Trim(value, " \t"), Domain: j.origin.Hostname(), SameSite: "Lax"}
	if c.Name+c.Value == "" || len(c.Name)+len(c.Value) > 4096 {
		return
	}
	c.Path = path[:max(1, strings.LastIndexByte(path, '/'))] // default-path, §5.1.4

	var expires, maxAge time.Duration
	var hasExpires, hasMaxAge, none bool
	for attribute := range strings.SplitSeq(attributes, ";") {
		name, value, _ := strings.Cut(attribute, "=")
		value = strings.Trim(value, " \t")
		switch strings.ToLower(strings.Trim(name, " \t")) {
		case "expires":
			if t, err := time.Parse(time.RFC1123, value); err == nil {
				expires, hasExpires = t.Sub(j.now), true
			}
		case "max-age":
			if n, err := strconv.Atoi(value); err == nil {
				maxAge, hasMaxAge = time.Duration(n)*time.Second, true
			}
		case "domain":
			if domain := strings.ToLower(strings.TrimPrefix(value, ".")); domain != "" {
				if host := j.origin.Hostname(); host != domain && !strings.HasSuffix(host, "."+domain) {
					return
				}
				c.Domain = "." + domain
			}
		case "path":
			if strings.HasPrefix(value, "/") {
				c.Path = value
			}
		case "secure":
			c.Secure = true
		case "httponly":
			c.HTTPOnly = true
		case "samesite":
			switch strings.ToLower(value) {
			case "strict":
				c.SameSite = "Strict"
			case "none":
				c.SameSite, none = "None", true
			}
		}
	}
	if c.Secure && !j.secure() || none && !c.Secure || script && c.HTTPOnly {
		return
	}
	if hasMaxAge {
		expires, hasExpires = maxAge, true
	}
	i := slices.IndexFunc(j.kept, func(k kept) bool {
		return k.Name == c.Name && k.Domain == c.Domain && k.Path == c.Path
	})
	if i >= 0 && script && j.kept[i].HTTPOnly {
		return
	}
	switch {
	case hasExpires && expires <= 0:
		if i >= 0 {
			j.kept = slices.Delete(j.kept, i, i+1)
		}
		return
	case hasExpires:
		days := min(expires.Hours()/24, 400) // §5.5
		days = math.Round(days*100) / 100
		c.ExpiresInDays = &days
	}
	const random = "{{random}}" // stands for another text each time
	if i >= 0 && j.kept[i].Value == c.Value && c.Value != random {
		j.kept[i] = c // the creation time stays, §5.7
		return
	}
	if i >= 0 { // Chromium lets it stay for equal values only
		j.kept = slices.Delete(j.kept, i, i+1)
	}
	j.kept = append(j.kept, c)
}

// cookies returns what is in the jar, sorted by name.
func (j *jar) cookies() []kept {
	all := append([]kept{}, j.kept...)
	slices.SortStableFunc(all, func(a, b kept) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), len(b.Path)-len(a.Path))
	})
	return all
}

// header returns the Cookie header of a request for path, §5.8.3, or "".
func (j *jar) header(path string) string {
	var sent []kept
	for _, c := range j.kept {
		under := path == c.Path || strings.HasPrefix(path, strings.TrimSuffix(c.Path, "/")+"/")
		if under && (!c.Secure || j.secure()) {
			sent = append(sent, c)
		}
	}
	slices.SortStableFunc(sent, func(a, b kept) int { return len(b.Path) - len(a.Path) })
	pairs := make([]string, len(sent))
	for i, c := range sent {
		if pairs[i] = c.Name + "=" + c.Value; c.Name == "" {
			pairs[i] = c.Value
		}
	}
	return strings.Join(pairs, "; ")
}

// delete removes all cookies of that name.
func (j *jar) delete(name string) {
	j.kept = slices.DeleteFunc(j.kept, func(c kept) bool { return c.Name == name })
}
