package sigv4

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// recorded is a case of sigv4.json; its README tells the form.
type recorded struct {
	ID    string
	Input struct {
		Kind    string
		Request struct {
			Method, URL string
			Body        json.RawMessage
		}
		Options struct {
			SigningDate                   time.Time
			SigningRegion, SigningService string
			URIEscapePath                 *bool `json:"uriEscapePath"`
		}
		Credentials struct{ SecretAccessKey string }
	}
	Expected struct{ Value json.RawMessage }
}

// TestRecordedSignatures computes the signatures of the requests that Amplify JS signed.
func TestRecordedSignatures(t *testing.T) {
	text, err := os.ReadFile("../../../testdata/conformance/sigv4.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []recorded
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			r, hash, signed, want := c.request(t)
			o := c.Input.Options
			path := r.URL.EscapedPath()
			if o.URIEscapePath == nil || *o.URIEscapePath {
				// Other services escape it twice. Amplify JS
				// leaves these characters alone, unlike the SDKs.
				path = strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A",
					"*").Replace(EscapePath(path))
			}
			key := NewKey(c.Input.Credentials.SecretAccessKey,
				Scope{o.SigningDate.UTC().Format("20060102"), o.SigningRegion, o.SigningService})
			canonical := CanonicalRequest(r, path, signed, hash)
			if _, got := key.Sign(Algorithm, o.SigningDate, Hash(canonical)); got != want {
				t.Errorf("got %s, want %s of\n%s", got, want, canonical)
			}
		})
	}
}

// request returns the request as it was sent, and what its signature consists of.
func (c recorded) request(t *testing.T) (r *http.Request, hash string, signed []string,
	signature string) {
	t.Helper()
	var address string
	header := http.Header{}
	if c.Input.Kind == "presignUrl" {
		decode(t, c.Expected.Value, &address)
	} else {
		var sent struct {
			URL     string
			Headers map[string]string
		}
		decode(t, c.Expected.Value, &sent)
		address = sent.URL
		for name, value := range sent.Headers {
			header.Set(name, value)
		}
	}
	r, err := http.NewRequest(c.Input.Request.Method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	if c.Input.Kind == "presignUrl" {
		signed, signature = strings.Split(r.URL.Query().Get("X-Amz-SignedHeaders"), ";"),
			r.URL.Query().Get("X-Amz-Signature")
	} else {
		_, rest, _ := strings.Cut(header.Get("Authorization"), "SignedHeaders=")
		list, rest, _ := strings.Cut(rest, ", Signature=")
		signed, signature = strings.Split(list, ";"), rest
	}
	return r, c.hash(t), signed, signature
}

// hash returns the hash of the body.
func (c recorded) hash(t *testing.T) string {
	t.Helper()
	body := c.Input.Request.Body
	var text string
	var bytes struct {
		N int `json:"$bytes"`
	}
	switch {
	case len(body) == 0:
	case body[0] == '"':
		decode(t, body, &text)
	default:
		decode(t, body, &bytes)
		var b strings.Builder
		for i := range bytes.N {
			b.WriteByte(byte(i % 251))
		}
		text = b.String()
	}
	if text == "UNSIGNED-PAYLOAD" {
		return text
	}
	return Hash(text)
}

func decode(t *testing.T, text []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// metadataName matches tokens (RFC 9110 §5.6.2) in lower case.
var metadataName = regexp.MustCompile("^x-amz-meta-[-!#$%&'*+.^_`|~0-9a-z]*$")

// FuzzSigner compares with the signer of the AWS SDK for Go.
func FuzzSigner(f *testing.F) {
	f.Add("a b/ü+&=$:@/%2F", "x-amz-meta-a", "  two   spaces ", "q=1&Q=2&q=%20&=&;&%zz")
	f.Add("//..//.", "x-amz-meta-b", "", "list-type=2&prefix=a%2Fb+c")
	f.Fuzz(func(t *testing.T, key, name, value, query string) {
		// No request has control characters in its headers, and names are tokens (RFC 9110 §5.1,
		// §5.5). Of other white space than blanks, the SDK's signer trims more than net/http does.
		if strings.ContainsFunc(value, unicode.IsControl) || !metadataName.MatchString(name) ||
			strings.TrimSpace(value) != strings.Trim(value, " ") {
			return
		}
		if _, err := url.ParseQuery(query); err != nil || strings.Contains(query, "X-Amz-") {
			return // the SDK drops what it cannot parse
		}
		path := EscapePath("/" + key)
		r, err := http.NewRequest("GET", "http://bucket.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL = &url.URL{Scheme: "http", Host: "bucket.example", Opaque: "//bucket.example" + path,
			RawQuery: query}
		r.Header[http.CanonicalHeaderKey(name)] = []string{value}
		now := time.Unix(1_800_000_000, 0)
		credentials := aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret",
			SessionToken: "token"}
		err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).
			SignHTTP(t.Context(), credentials, r, EmptyHash, "s3", "eu-west-1", now)
		if err != nil {
			return
		}
		list, want, _ := strings.Cut(r.Header.Get("Authorization"), ", Signature=")
		_, list, _ = strings.Cut(list, "SignedHeaders=")
		canonical := CanonicalRequest(r, path, strings.Split(list, ";"), EmptyHash)
		_, got := NewKey("secret", Scope{now.UTC().Format("20060102"), "eu-west-1",
			"s3"}).Sign(Algorithm, now, Hash(canonical))
		if got != want {
			t.Errorf("the signer made another signature of\n%s", canonical)
		}
	})
}

func Example() {
	// The example of "Signature Calculations for the
	// Authorization Header" (Amazon S3 API Reference).
	r, _ := http.NewRequest("GET", "https://examplebucket.s3.amazonaws.com/test.txt", nil)
	r.Header.Set("Range", "bytes=0-9")
	r.Header.Set("X-Amz-Content-Sha256", EmptyHash)
	r.Header.Set("X-Amz-Date", "20130524T000000Z")
	canonical := CanonicalRequest(r, "/test.txt", []string{"host", "range", "x-amz-content-sha256",
		"x-amz-date"}, EmptyHash)
	key := NewKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", Scope{"20130524", "us-east-1", "s3"})
	_, signature := key.Sign(Algorithm, time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC),
		Hash(canonical))
	fmt.Println(signature)
	// Output: f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41
}
