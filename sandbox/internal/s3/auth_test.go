package s3

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestSignatureByHeader changes something about a request that was signed rightly.
func TestSignatureByHeader(t *testing.T) {
	s := newServer(t)
	change := func(f func(r *http.Request)) func(*http.Request) { return f }
	authorization := func(old, instead string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old,
				instead, 1))
		}
	}
	day := now.Format("20060102")
	for what, c := range map[string]struct {
		key    aws.Credentials
		change func(*http.Request)
		status int
		code   string
	}{
		"nothing":           {ann, nil, 200, ""},
		"the administrator": {admin, nil, 200, ""},
		"nobody":            {none, nil, 403, "AccessDenied"},
		"another secret": {aws.Credentials{AccessKeyID: ann.AccessKeyID, SecretAccessKey: "x",
			SessionToken: ann.SessionToken}, nil, 403, "SignatureDoesNotMatch"},
		"an unknown key": {aws.Credentials{AccessKeyID: "AKIAX", SecretAccessKey: "x"}, nil, 403,
			"InvalidAccessKeyId"},
		"no token": {aws.Credentials{AccessKeyID: ann.AccessKeyID,
			SecretAccessKey: ann.SecretAccessKey}, nil, 403, "InvalidAccessKeyId"},
		"another's token": {aws.Credentials{AccessKeyID: ann.AccessKeyID,
			SecretAccessKey: ann.SecretAccessKey, SessionToken: "x"}, nil, 400, "InvalidToken"},
		"an expired token": {aws.Credentials{AccessKeyID: ann.AccessKeyID,
			SecretAccessKey: ann.SecretAccessKey, SessionToken: "expired"}, nil, 400,
			"ExpiredToken"},
		"a token with the administrator's key": {
			aws.Credentials{AccessKeyID: admin.AccessKeyID, SecretAccessKey: admin.SecretAccessKey,
				SessionToken: "x"}, nil, 400, "InvalidToken"},
		"path": {ann, change(func(r *http.Request) { r.URL.Path += "x" }), 403,
			"SignatureDoesNotMatch"},
		"query": {ann, change(func(r *http.Request) {
			r.URL.RawQuery = "x-id=PutObject&y=1"
		}), 403, "SignatureDoesNotMatch"},
		"method": {ann, change(func(r *http.Request) { r.Method = "POST" }), 403,
			"SignatureDoesNotMatch"},
		"host": {ann, change(func(r *http.Request) { r.Host = "bucket.s3.example" }),
			403, "SignatureDoesNotMatch"},
		"a header": {ann, change(func(r *http.Request) {
			r.Header.Set("X-Amz-Meta-Color",
				"blue")
		}), 403, "SignatureDoesNotMatch"},
		"another header": {ann, change(func(r *http.Request) {
			r.Header.Set("X-Amz-Meta-New",
				"x")
		}), 403, "AccessDenied"},
		"an unsigned copy": {ann, change(func(r *http.Request) {
			r.Header.Set("X-Amz-Copy-Source", "/bucket/ann/x")
		}), 403, "AccessDenied"},
		"token": {ann, change(func(r *http.Request) {
			r.Header.Set("X-Amz-Security-Token", writer.SessionToken)
		}), 400, "InvalidToken"},
		"hash": {ann, change(func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", hashOf("x"))
		}), 403, "SignatureDoesNotMatch"},
		"protection": {ann, change(func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
		}), 403,
			"SignatureDoesNotMatch"},
		"no hash": {ann, change(func(r *http.Request) {
			r.Header.Del("X-Amz-Content-Sha256")
		}), 400, "InvalidRequest"},
		"no hash at all": {ann, change(func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", "x")
		}), 400, "InvalidArgument"},
		"time": {ann, change(func(r *http.Request) {
			r.Header.Set("X-Amz-Date",
				now.Add(time.Minute).Format("20060102T150405Z"))
		}), 403, "SignatureDoesNotMatch"},
		"an old time": {ann, change(func(r *http.Request) {
			r.Header.Set("X-Amz-Date",
				now.Add(-16*time.Minute).Format("20060102T150405Z"))
		}), 403, "RequestTimeTooSkewed"},
		"a time to come": {ann, change(func(r *http.Request) {
			r.Header.Set("X-Amz-Date",
				now.Add(16*time.Minute).Format("20060102T150405Z"))
		}), 403, "RequestTimeTooSkewed"},
		"no time": {ann, change(func(r *http.Request) {
			r.Header.Set("X-Amz-Date",
				"x")
		}), 403, "AccessDenied"},
		"region": {ann, authorization("us-east-1", "eu-west-1"), 400,
			"AuthorizationHeaderMalformed"},
		"service": {ann, authorization("/s3/", "/sqs/"), 400,
			"AuthorizationHeaderMalformed"},
		"terminal": {ann, authorization("/aws4_request", "/aws5_request"), 400,
			"AuthorizationHeaderMalformed"},
		"date": {ann, authorization("/"+day+"/", "/20310202/"), 400,
			"AuthorizationHeaderMalformed"},
		"no date": {ann, authorization("/"+day+"/", "/today/"), 400,
			"AuthorizationHeaderMalformed"},
		"fewer parts": {ann, authorization("/s3/aws4_request", ""), 400,
			"AuthorizationHeaderMalformed"},
		"fewer components": {ann, authorization(", SignedHeaders=", ";"), 400,
			"AuthorizationHeaderMalformed"},
		"another component": {ann, authorization("Signature=", "Sig="), 400,
			"AuthorizationHeaderMalformed"},
		"host is not signed": {ann, authorization(";host;", ";"), 403, "AccessDenied"},
		"signature": {ann, authorization("Signature=", "Signature=0"), 403,
			"SignatureDoesNotMatch"},
		"signature version 2": {ann, change(func(r *http.Request) {
			r.Header.Set("Authorization",
				"AWS x:y")
		}), 400, "InvalidRequest"},
		"another algorithm": {ann, authorization("AWS4-HMAC-SHA256", "AWS4-X"), 400,
			"InvalidArgument"},
		"no credentials": {ann, change(func(r *http.Request) {
			r.Header.Set("Authorization",
				"x")
		}), 400, "InvalidArgument"},
		"both ways": {ann, change(func(r *http.Request) {
			r.URL.RawQuery += "&X-Amz-Algorithm=AWS4-HMAC-SHA256"
		}), 400, "InvalidArgument"},
	} {
		t.Run(what, func(t *testing.T) {
			r := s.newRequest(t, "PUT", "/bucket/ann/a%20b%2B%C3%BC/?x-id=PutObject", "content",
				"X-Amz-Meta-Color", "red", "Content-Type", "text/plain")
			if c.key != none {
				s.sign(t, r, c.key, "content")
			}
			if c.change != nil {
				c.change(r)
			}
			s.do(t, r).want(t, what, c.status, c.code)
		})
	}
}

// TestLatin1: Amplify JS signs "ü" as UTF-8, and fetch sends it as one byte.
func TestLatin1(t *testing.T) {
	s := newServer(t)
	s.call(t, ann, "PUT", "/bucket/ann/%C3%BC", "content").want(t, "put", 200, "")
	r := s.newRequest(t, "PUT", "/bucket/ann/copy", "", "X-Amz-Copy-Source", "bucket/ann/ü")
	s.sign(t, r, ann, "")
	r.Header.Set("X-Amz-Copy-Source", "bucket/ann/\xfc")
	s.do(t, r).want(t, "copy", 200, "")
	if a := s.call(t, ann, "GET", "/bucket/ann/copy", ""); a.body != "content" {
		t.Errorf("the copy: %s", a.body)
	}
}

// TestBodyIsSigned: what was sent in place of the body that was signed is not stored.
func TestBodyIsSigned(t *testing.T) {
	s := newServer(t)
	r := s.newRequest(t, "PUT", "/bucket/ann/a", "evil")
	s.sign(t, r, ann, "good")
	s.do(t, r).want(t, "another body", 400, "XAmzContentSHA256Mismatch")
	r = s.newRequest(t, "POST", "/bucket?delete",
		"<Delete><Object><Key>ann/a</Key></Object></Delete>")
	s.sign(t, r, ann, "good")
	s.do(t, r).want(t, "another document", 400, "XAmzContentSHA256Mismatch")
	s.call(t, admin, "GET", "/bucket/ann/a", "").want(t, "the object", 404, "NoSuchKey")
}

// TestPresigned changes something about a presigned URL.
func TestPresigned(t *testing.T) {
	s := newServer(t)
	s.call(t, ann, "PUT", "/bucket/ann/a", "content").want(t, "put", 200, "")
	set := func(name, value string) func(*http.Request, url.Values) {
		return func(_ *http.Request, q url.Values) { q.Set(name, value) }
	}
	header := func(name, value string) func(*http.Request, url.Values) {
		return func(r *http.Request, _ url.Values) { r.Header.Set(name, value) }
	}
	for what, c := range map[string]struct {
		method string
		key    aws.Credentials
		after  time.Duration
		change func(r *http.Request, q url.Values)
		status int
		code   string
	}{
		"nothing":          {"GET", ann, 0, nil, 200, ""},
		"almost expired":   {"GET", ann, 60 * time.Second, nil, 200, ""},
		"expired":          {"GET", ann, 61 * time.Second, nil, 403, "AccessDenied"},
		"not yet valid":    {"GET", ann, -16 * time.Minute, nil, 403, "AccessDenied"},
		"of somebody else": {"GET", writer, 0, nil, 403, "AccessDenied"},
		"put":              {"PUT", ann, 0, nil, 200, ""},
		"another method": {"GET", ann, 0, func(r *http.Request,
			_ url.Values) {
			r.Method = "DELETE"
		}, 403, "SignatureDoesNotMatch"},
		"a longer life": {"GET", ann, 0, set("X-Amz-Expires", "3600"), 403,
			"SignatureDoesNotMatch"},
		"too long a life": {"GET", ann, 0, set("X-Amz-Expires", "604801"), 400,
			"AuthorizationQueryParametersError"},
		"another parameter": {"GET", ann, 0, set("response-content-type", "text/html"), 403,
			"SignatureDoesNotMatch"},
		"a parameter twice": {"GET", ann, 0, func(_ *http.Request, q url.Values) {
			q["X-Amz-Expires"] = []string{"3600", "60"}
		}, 403, "SignatureDoesNotMatch"},
		"a second signature": {"GET", ann, 0, func(_ *http.Request, q url.Values) {
			q["X-Amz-Signature"] = append([]string{hashOf("x")}, q["X-Amz-Signature"]...)
		}, 403, "SignatureDoesNotMatch"},
		"another version": {"GET", ann, 0, set("versionId", "x"), 403, "SignatureDoesNotMatch"},
		"no token": {"GET", ann, 0, func(_ *http.Request,
			q url.Values) {
			q.Del("X-Amz-Security-Token")
		}, 403, "InvalidAccessKeyId"},
		"another token": {"GET", ann, 0, set("X-Amz-Security-Token", writer.SessionToken), 400,
			"InvalidToken"},
		"signature": {"GET", ann, 0, set("X-Amz-Signature", "x"), 403,
			"SignatureDoesNotMatch"},
		"no signature": {"GET", ann, 0, func(_ *http.Request,
			q url.Values) {
			q.Del("X-Amz-Signature")
		}, 400, "AuthorizationQueryParametersError"},
		"signed headers": {"GET", ann, 0, set("X-Amz-SignedHeaders", "range"), 403,
			"AccessDenied"},
		"a range": {"GET", ann, 0, header("Range", "bytes=0-1"), 206, ""},
		"a copy": {"PUT", ann, 0, header("X-Amz-Copy-Source", "/bucket/shared/a"), 403,
			"AccessDenied"},
	} {
		t.Run(what, func(t *testing.T) {
			s.now = now
			key := map[string]string{"GET": "a", "PUT": "b"}[c.method]
			r := s.newRequest(t, c.method, "/bucket/ann/"+key+"?X-Amz-Expires=60", "")
			signed, _, err := signer().PresignHTTP(t.Context(), c.key, r, "UNSIGNED-PAYLOAD", "s3",
				"us-east-1", now)
			if err != nil {
				t.Fatal(err)
			}
			if r.URL, err = url.Parse(signed); err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				q := r.URL.Query()
				c.change(r, q)
				r.URL.RawQuery = q.Encode()
			}
			s.now = now.Add(c.after)
			s.do(t, r).want(t, what, c.status, c.code)
		})
	}
}

// TestPresignedChecksum: a URL as the AWS SDK for JavaScript signs it, with the checksum of an empty
// body.
func TestPresignedChecksum(t *testing.T) {
	s := newServer(t)
	for body, change := range map[string]string{"content": "", "other": "x-amz-meta-color=red&"} {
		r := s.newRequest(t, "PUT", "/bucket/ann/a?"+change+"X-Amz-Expires=60&"+
			"x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32", body)
		signed, _, err := signer().PresignHTTP(t.Context(), ann, r, "UNSIGNED-PAYLOAD", "s3",
			"us-east-1", now)
		if err != nil {
			t.Fatal(err)
		}
		if r.URL, err = url.Parse(signed); err != nil {
			t.Fatal(err)
		}
		s.do(t, r).want(t, "put", 200, "")
		got := s.call(t, ann, "GET", "/bucket/ann/a", "")
		if got.body != body || (got.Header.Get("X-Amz-Meta-Color") == "red") != (change != "") {
			t.Errorf("%q with the headers %v", got.body, got.Header)
		}
	}
	s.call(t, ann, "PUT", "/bucket/ann/b", "content", "X-Amz-Checksum-Crc32", "AAAAAA==").
		want(t, "a header", 400, "BadDigest")
}

// TestPathEscaping: the path counts as S3 escapes it. A client that escapes less, and
// signs what it sends, is refused, as by AWS.
func TestPathEscaping(t *testing.T) {
	s := newServer(t)
	for path, status := range map[string]int{
		"/bucket/ann/a%26b%3Dc%2Bd%24e%3Af%40g%27h%28i%29": 200, "/bucket/ann/a&b=c": 403,
		"/bucket/ann/a'b": 403, "/bucket/ann/%61": 403,
		"/bucket/ann/../x": 200, "/bucket//ann/x": 403 /* denied */, "/bucket/ann//x": 200,
		"/bucket/ann/%00%01%0A": 200,
	} {
		r := s.newRequest(t, "PUT", "", "")
		target := strings.TrimPrefix(s.URL, "http://")
		r.URL = &url.URL{Scheme: "http", Host: target, Opaque: "//" + target + path}
		s.sign(t, r, ann, "")
		if a := s.do(t, r); a.StatusCode != status {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
	}
	s.call(t, ann, "PUT", "/bucket/ann/%ff", "").want(t, "no UTF-8", 400, "InvalidURI")
	s.call(t, ann, "PUT", "/bucket/ann/"+strings.Repeat("k", 1021), "").want(t, "a long key", 400,
		"KeyTooLongError")
}
