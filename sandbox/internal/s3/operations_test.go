package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/sigv4"
)

func TestRanges(t *testing.T) {
	for _, c := range []struct {
		header string
		size   int64
		want   section
		ok     bool
	}{
		{"", 10, section{0, 10, false}, true},
		{"bytes=0-0", 10, section{0, 1, true}, true},
		{"bytes=3-", 10, section{3, 7, true}, true},
		{"bytes=3-5", 10, section{3, 3, true}, true},
		{"bytes=03-05", 10, section{3, 3, true}, true},
		{"bytes=9-99", 10, section{9, 1, true}, true},
		{"bytes=-3", 10, section{7, 3, true}, true},
		{"bytes=-99", 10, section{0, 10, true}, true},
		{"bytes=10-", 10, section{0, 10, false}, false},
		{"bytes=10-12", 10, section{0, 10, false}, false},
		{"bytes=-0", 10, section{0, 10, false}, false},
		{"bytes=0-", 0, section{}, false},
		{"bytes=-1", 0, section{}, true},
		// Other forms mean the whole object.
		{"bytes=5-3", 10, section{0, 10, false}, true},
		{"bytes=-", 10, section{0, 10, false}, true},
		{"bytes=--1", 10, section{0, 10, false}, true},
		{"bytes=0--1", 10, section{0, 10, false}, true},
		{"bytes=+1-2", 10, section{0, 10, false}, true},
		{"bytes= 1-2", 10, section{0, 10, false}, true},
		{"bytes=0-1,3-4", 10, section{0, 10, false}, true},
		{"bytes=1", 10, section{0, 10, false}, true},
		{"items=0-1", 10, section{0, 10, false}, true},
		{"bytes=99999999999999999999-", 10, section{0, 10, false}, true},
	} {
		got, err := rangeSection(c.header, c.size)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%q of %d: %+v, %v", c.header, c.size, got, err)
		}
	}
}

// TestConditions: conditional reads, copies, writes and deletions.
func TestConditions(t *testing.T) {
	s := newServer(t)
	etag := s.call(t, ann, "PUT", "/bucket/ann/a", "content").Header.Get("ETag")
	at, before, after := now.Format(http.TimeFormat), now.Add(-time.Second).Format(http.TimeFormat),
		now.Add(time.Second).Format(http.TimeFormat)
	for _, c := range []struct {
		header []string
		status int
	}{
		{[]string{"If-Match", etag}, 200},
		{[]string{"If-Match", strings.Trim(etag, `"`)}, 200},
		{[]string{"If-Match", `"x", ` + etag}, 200},
		{[]string{"If-Match", `"x"`}, 412},
		{[]string{"If-None-Match", etag}, 304},
		{[]string{"If-None-Match", "*"}, 304},
		{[]string{"If-None-Match", `"x"`}, 200},
		{[]string{"If-Modified-Since", at}, 304},
		{[]string{"If-Modified-Since", before}, 200},
		{[]string{"If-Unmodified-Since", at}, 200},
		{[]string{"If-Unmodified-Since", before}, 412},
		{[]string{"If-Match", etag, "If-Unmodified-Since", before}, 200},
		{[]string{"If-None-Match", `"x"`, "If-Modified-Since", after}, 200},
		{[]string{"If-Match", etag, "If-None-Match", etag}, 304},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			if a := s.call(t, ann, method, "/bucket/ann/a", "",
				c.header...); a.StatusCode != c.status {
				t.Errorf("%s %v: %d", method, c.header, a.StatusCode)
			}
		}
		header := []string{"X-Amz-Copy-Source", "/bucket/ann/a"}
		for i := 0; i < len(c.header); i += 2 {
			header = append(header, "X-Amz-Copy-Source-"+c.header[i], c.header[i+1])
		}
		want := c.status
		if want == 304 {
			want = 412
		}
		if a := s.call(t, ann, "PUT", "/bucket/ann/copy", "", header...); a.StatusCode != want {
			t.Errorf("copy %v: %d %s", c.header, a.StatusCode, a.body)
		}
	}
	for _, c := range []struct {
		key    string
		header []string
		status int
		code   string
	}{
		{"a", []string{"If-None-Match", "*"}, 412, "PreconditionFailed"},
		{"new", []string{"If-None-Match", "*"}, 200, ""},
		{"a", []string{"If-Match", etag}, 200, ""},
		{"a", []string{"If-Match", `"x"`}, 412, "PreconditionFailed"},
		{"none", []string{"If-Match", etag}, 404, "NoSuchKey"},
		{"a", []string{"If-None-Match", etag}, 501, "NotImplemented"},
	} {
		s.call(t, ann, "PUT", "/bucket/ann/"+c.key, "content", c.header...).want(t,
			fmt.Sprint("put ", c), c.status, c.code)
		s.call(t, ann, "PUT", "/bucket/ann/"+c.key, "",
			append(c.header, "X-Amz-Copy-Source", "/bucket/ann/copy")...).
			want(t, fmt.Sprint("copy to ", c), map[bool]int{true: 412,
				false: c.status}[c.key == "new"], map[bool]string{true: "PreconditionFailed",
				false: c.code}[c.key == "new"])
	}
	s.call(t, ann, "DELETE", "/bucket/ann/a", "", "If-Match", `"x"`).want(t, "delete", 412,
		"PreconditionFailed")
	s.call(t, ann, "DELETE", "/bucket/ann/a", "", "If-Match", etag).want(t, "delete", 204, "")
	// What a caller may not read, they cannot find out by conditions either.
	s.call(t, writer, "DELETE", "/bucket/ann/new", "", "If-Match", etag).want(t,
		"by who may only delete", 403, "AccessDenied")
	s.call(t, writer, "PUT", "/bucket/ann/new", "", "If-Match", etag).want(t,
		"by who may only write", 403, "AccessDenied")
	s.call(t, writer, "PUT", "/bucket/ann/w", "x").want(t, "without a condition", 200, "")
}

// TestSums: a body with another checksum than was promised is not stored.
func TestSums(t *testing.T) {
	const content = "content"
	s := newServer(t)
	for _, a := range checksum.All() {
		h := a.New()
		h.Write([]byte(content))
		right := checksum.Encode(h)
		h.Write([]byte("x"))
		wrong := checksum.Encode(h)
		answer := s.call(t, ann, "PUT", "/bucket/ann/a", content, a.Header(), right)
		answer.want(t, string(a), 200, "")
		got := s.call(t, ann, "HEAD", "/bucket/ann/a", "", "X-Amz-Checksum-Mode", "ENABLED").Header
		if got.Get(a.Header()) != right || got.Get("X-Amz-Checksum-Type") != checksum.FullObject {
			t.Errorf("%s: %v", a, got)
		}
		s.call(t, ann, "PUT", "/bucket/ann/b", content, a.Header(), wrong).want(t, string(a), 400,
			"BadDigest")
		s.call(t, ann, "PUT", "/bucket/ann/b", content, a.Header(), "x").want(t, string(a), 400,
			"InvalidRequest")
		for value, code := range map[string]string{right: "", wrong: "BadDigest",
			"x": "InvalidRequest"} {
			body := fmt.Sprintf("%x\r\n%s\r\n0\r\n%s:%s\r\n\r\n", len(content), content, a.Header(),
				value)
			status := map[bool]int{true: 200, false: 400}[code == ""]
			s.call(t, ann, "PUT", "/bucket/ann/c", body, "X-Amz-Content-Sha256", streamingUnsigned,
				"X-Amz-Trailer", a.Header(),
				"X-Amz-Decoded-Content-Length", fmt.Sprint(len(content))).want(t,
				fmt.Sprintf("%s in a trailer: %s", a, value), status, code)
		}
	}
	s.call(t, ann, "PUT", "/bucket/ann/b", content, "Content-Md5",
		"mgNkuembtIDdJeHwKEyFVQ==").want(t, "MD5", 200, "")
	s.call(t, ann, "PUT", "/bucket/ann/d", content, "Content-Md5",
		"AAAAuembtIDdJeHwKEyFVQ==").want(t, "another MD5", 400, "BadDigest")
	s.call(t, ann, "PUT", "/bucket/ann/d", content, "Content-Md5", "x").want(t, "no MD5", 400,
		"InvalidDigest")
	s.call(t, admin, "GET", "/bucket/ann/d", "").want(t, "what was refused", 404, "NoSuchKey")
}

// TestOverrides: parameters set some headers of an answer, and no others.
func TestOverrides(t *testing.T) {
	s := newServer(t)
	s.call(t, ann, "PUT", "/bucket/ann/a", "content").want(t, "put", 200, "")
	a := s.call(
		t, ann, "GET", "/bucket/ann/a?response-content-type=text/html&response-cache-control=x"+
			"&response-set-cookie=a=b&response-content-security-policy=none&response-location=/",
		"")
	a.want(t, "get", 200, "")
	got := []string{}
	for _, name := range []string{"Content-Type", "Cache-Control", "Set-Cookie", "Location",
		"Content-Security-Policy"} {
		got = append(got, a.Header.Get(name))
	}
	if diff := cmp.Diff([]string{"text/html", "x", "", "", "sandbox"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestVersions: an object has one version, which has no name. Versions are the administrator's.
func TestVersions(t *testing.T) {
	s := newServer(t)
	s.call(t, ann, "PUT", "/bucket/ann/a", "content").want(t, "put", 200, "")
	for _, c := range []struct {
		method, query, body string
		header              []string
		status              int
	}{
		{"GET", "", "", nil, 200},
		{"GET", "tagging&", "", nil, 200},
		{"PUT", "tagging&", "<Tagging/>", nil, 200},
		{"DELETE", "tagging&", "", nil, 204},
		{"GET", "attributes&", "", []string{"X-Amz-Object-Attributes", "ETag"}, 200},
		{"DELETE", "", "", nil, 204},
	} {
		target := "/bucket/ann/a?" + c.query + "versionId="
		what := c.method + " " + target
		s.call(t, ann, c.method, target+"null", c.body, c.header...).want(t, what+", by a user",
			403, "AccessDenied")
		s.call(t, admin, c.method, target+"x", c.body, c.header...).want(t, what+"x", 400,
			"InvalidArgument")
		s.call(t, admin, c.method, target+"null", c.body, c.header...).want(t, what+"null",
			c.status, "")
	}
}

// TestContentEncoding: aws-chunked is the encoding of a request, and not of the object.
func TestContentEncoding(t *testing.T) {
	for value, want := range map[string]string{"": "", "gzip": "gzip", "gzip, br": "gzip, br",
		"aws-chunked": "", "aws-chunked,gzip": "gzip", "gzip, aws-chunked": "gzip",
		"gzip,aws-chunked,br": "gzip,br"} {
		if got := contentEncoding(http.Header{"Content-Encoding": {value}}); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
	two := http.Header{"Content-Encoding": {"gzip", "aws-chunked"}}
	if got := contentEncoding(two); got != "gzip" {
		t.Errorf("two headers: %q", got)
	}
}

// TestTags: tags are the administrator's. Copies keep them, if those who copy may tag.
func TestTags(t *testing.T) {
	s := newServer(t)
	const set = "<Tagging><TagSet><Tag><Key>k</Key><Value>%s</Value></Tag></TagSet></Tagging>"
	s.call(t, admin, "PUT", "/bucket/ann/a", "x", "X-Amz-Tagging", "k=v&l=w").want(t, "put", 200,
		"")
	s.call(t, ann, "PUT", "/bucket/ann/b", "x", "X-Amz-Tagging", "k=v").want(t, "put", 403,
		"AccessDenied")
	from := []string{"X-Amz-Copy-Source", "/bucket/ann/a"}
	s.call(t, ann, "PUT", "/bucket/ann/b", "", from...).want(t, "copy", 403, "AccessDenied")
	without := append(from, "X-Amz-Tagging-Directive", "REPLACE")
	s.call(t, ann, "PUT", "/bucket/ann/b", "", without...).want(t, "copy without", 200, "")
	s.call(t, admin, "PUT", "/bucket/ann/c", "", from...).want(t, "copy by the administrator", 200,
		"")
	for key, count := range map[string]string{"a": "2", "b": "", "c": "2"} {
		header := s.call(t, ann, "HEAD", "/bucket/ann/"+key, "").Header
		if got := header.Get("X-Amz-Tagging-Count"); got != count ||
			header.Get("X-Amz-Tagging") != "" {
			t.Errorf("%s: %v", key, header)
		}
	}
	if a := s.call(t, admin, "GET", "/bucket/ann/c?tagging", ""); !strings.Contains(a.body,
		"<Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>l</Key><Value>w</Value></Tag>") {
		t.Errorf("tags: %s", a.body)
	}
	s.call(t, admin, "PUT", "/bucket/ann/c?tagging", fmt.Sprintf(set, "new")).want(t, "tag", 200,
		"")
	s.call(t, admin, "PUT", "/bucket/ann/c?tagging", fmt.Sprintf(set, "{")).want(t, "tag", 400,
		"InvalidTag")
	s.call(t, admin, "PUT", "/bucket/ann/d?tagging", fmt.Sprintf(set, "v")).want(t, "tag", 404,
		"NoSuchKey")
	s.call(t, admin, "DELETE", "/bucket/ann/c?tagging", "").want(t, "tag", 204, "")
	s.call(t, admin, "PUT", "/bucket/ann/a", "", "X-Amz-Tagging", "k=v&k=w").want(t, "twice", 400,
		"InvalidArgument")
}

// listOf is what tests read of a list.
type listOf struct {
	Contents              []struct{ Key string }
	CommonPrefixes        []struct{ Prefix string }
	NextContinuationToken string
	IsTruncated           bool
}

// TestListNames: names with all characters, in both encodings.
func TestListNames(t *testing.T) {
	s := newServer(t)
	names := []string{"ann/\x01<&>", "ann/\r\n\t", "ann/ +%2B", "ann/ü/x"}
	for _, n := range names {
		s.call(t, ann, "PUT", sigv4.EscapePath("/bucket/"+n), "").want(t, n, 200, "")
	}
	// XML 1.0 has no such characters, but S3 writes references to them.
	a := s.call(t, ann, "GET", "/bucket?list-type=2&prefix=ann/", "")
	for _, want := range []string{"<Key>ann/&#x1;&#x3C;&#x26;&#x3E;</Key>",
		"<Key>ann/&#xD;&#xA;&#x9;</Key>"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("%s is not in %s", want, a.body)
		}
	}
	a = s.call(t, ann, "GET", "/bucket?list-type=2&prefix=ann/&delimiter=/&encoding-type=url", "")
	var list listOf
	if err := xml.Unmarshal([]byte(a.body), &list); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list.Contents {
		name, err := url.QueryUnescape(c.Key)
		if err != nil {
			t.Error(err)
		}
		got = append(got, name)
	}
	if diff := cmp.Diff([]string{names[0], names[1], names[2]}, got); diff != "" ||
		list.CommonPrefixes[0].Prefix != "ann/%C3%BC/" {
		t.Errorf("%s, %v", diff, list.CommonPrefixes)
	}
	for query, code := range map[string]string{
		"prefix=ann/&max-keys=x": "InvalidArgument", "prefix=ann/&max-keys=-1": "InvalidArgument",
		"prefix=ann/&encoding-type=x":      "InvalidArgument",
		"prefix=ann/&continuation-token=!": "InvalidArgument", "prefix=ann": "AccessDenied",
		"prefix=": "AccessDenied", "": "AccessDenied",
	} {
		if a := s.call(t, ann, "GET", "/bucket?list-type=2&"+query, ""); a.Code != code {
			t.Errorf("%s: %d %s, want %s", query, a.StatusCode, a.body, code)
		}
	}
}

// TestListWithoutPrefix: to IAM, no prefix is none that matches.
func TestListWithoutPrefix(t *testing.T) {
	s := newServer(t)
	s.call(t, ann, "GET", "/whole?prefix=", "").want(t, "an empty prefix", 200, "")
	s.call(t, ann, "GET", "/whole", "").want(t, "no prefix", 403, "AccessDenied")
	s.call(t, admin, "GET", "/whole", "").want(t, "the administrator", 200, "")
}

// TestUploadByWriter: who may only write can upload in parts. Nobody else can end that upload.
func TestUploadByWriter(t *testing.T) {
	s := newServer(t)
	a := s.call(t, writer, "POST", "/bucket/ann/big?uploads", "")
	a.want(t, "create", 200, "")
	var created struct {
		UploadID string `xml:"UploadId"`
	}
	if err := xml.Unmarshal([]byte(a.body), &created); err != nil {
		t.Fatal(err)
	}
	target := "/bucket/ann/big?uploadId=" + created.UploadID
	etags := []string{}
	for i, content := range []string{"small", "end"} {
		a := s.call(t, writer, "PUT", fmt.Sprintf("%s&partNumber=%d", target, i+1), content)
		a.want(t, "part", 200, "")
		etags = append(etags, a.Header.Get("ETag"))
	}
	complete := func(numbers ...int) string {
		body := "<CompleteMultipartUpload xmlns='" + namespace + "'>"
		for _, n := range numbers {
			body += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", n,
				etags[(n-1)%2])
		}
		return body + "</CompleteMultipartUpload>"
	}
	for what, c := range map[string]struct{ body, code string }{
		"too small":    {complete(1, 2), "EntityTooSmall"},
		"no such part": {complete(3), "InvalidPart"},
		"another part": {strings.Replace(complete(2), "<PartNumber>2", "<PartNumber>1", 1),
			"InvalidPart"},
		"another order": {complete(2, 1), "InvalidPartOrder"},
		"twice":         {complete(2, 2), "InvalidPartOrder"},
		"none":          {complete(), "MalformedXML"},
		"no document":   {"x", "MalformedXML"},
		"another root":  {"<Delete/>", "MalformedXML"},
	} {
		s.call(t, writer, "POST", target, c.body).want(t, what, 400, c.code)
	}
	for _, number := range []string{"0", "-1", "10001", "x", ""} {
		s.call(t, writer, "PUT", target+"&partNumber="+number, "x").want(t, "part "+number, 400,
			"InvalidArgument")
	}
	s.call(t, ann, "GET", target, "").want(t, "listed by another", 403, "AccessDenied")
	s.call(t, ann, "DELETE", target, "").want(t, "aborted by another", 403, "AccessDenied")
	s.call(t, writer, "GET", target, "").want(t, "listed", 200, "")
	s.call(t, writer, "POST", target, complete(2)).want(t, "complete", 200, "")
	s.call(t, writer, "POST", target, complete(2)).want(t, "complete again", 200, "")
	s.call(t, writer, "GET", "/bucket/ann/big", "").want(t, "read by who may not", 403,
		"AccessDenied")
	if a := s.call(t, ann, "GET", "/bucket/ann/big", ""); a.body != "end" {
		t.Errorf("the object is %s", a.body)
	}
}

// FuzzRequests: no request makes S3 fail, or tells an unsigned caller more than that.
func FuzzRequests(f *testing.F) {
	f.Add("GET", "/bucket/ann/a?partNumber=-1", "Range", "bytes=-0", "")
	f.Add("PUT", "/bucket/ann/a?uploadId=x&partNumber=1", "X-Amz-Copy-Source", "/bucket/%zz", "x")
	f.Add("POST", "/bucket?delete", "Content-Md5", "x", "<Delete><Object>")
	f.Add("PUT", "/bucket/ann/a", "X-Amz-Trailer", "x-amz-checksum-crc32", "1\r\n")
	f.Add("POST", "/bucket/ann/a?uploads", "X-Amz-Checksum-Algorithm", "CRC32", "")
	s := newServer(f)
	f.Fuzz(func(t *testing.T, method, target, name, value, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL, strings.NewReader(body))
		if err != nil || !strings.HasPrefix(target, "/") {
			return
		}
		if r.URL, err = r.URL.Parse(s.URL + target); err != nil ||
			r.URL.Host != strings.TrimPrefix(s.URL, "http://") {
			return
		}
		r.Header.Set(name, value)
		if name == "X-Amz-Content-Sha256" || strings.EqualFold(name, "Connection") {
			return
		}
		s.sign(t, r, admin, body)
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return // the client refuses it
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusInternalServerError {
			t.Errorf("%s %s, %s: %s, %q: %d", method, target, name, value, body, res.StatusCode)
		}
	})
}
