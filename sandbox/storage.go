package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/sandbox/internal/console"
	"github.com/amplify-go/amplify/sandbox/internal/identity"
	"github.com/amplify-go/amplify/sandbox/internal/partition"
	"github.com/amplify-go/amplify/sandbox/internal/s3"
	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// maxObjects is how many bytes all objects have together, if they are in memory.
const maxObjects = 1 << 30

// StorageKey is a permanent access key for S3. Its JSON has the names of the AWS command line's.
type StorageKey struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string `json:"SecretAccessKey"`
}

// StorageAdmin returns the key of [Config.StorageAdmin]. ok is false if it was not asked for.
func (s *Sandbox) StorageAdmin() (key StorageKey, ok bool) {
	return s.storageAdmin, s.storageAdmin != StorageKey{}
}

// bucketOutputs is a bucket of the outputs.
type bucketOutputs struct {
	Name   string `json:"bucket_name"`
	Region string `json:"aws_region"`
	// Paths are the access rules. Their order counts.
	Paths json.RawMessage `json:"paths"`
}

// defaultPaths are the rules of a bucket that the outputs have no rules for at all, and of
// the bucket that the sandbox makes itself: those that Gen 1 deploys, with guests who read.
const defaultPaths = `{
	"public/*": {"guest": ["get", "list"], "authenticated": ["get", "list", "write", "delete"]},
	"protected/${cognito-identity.amazonaws.com:sub}/*": {
		"entityidentity": ["get", "list", "write", "delete"]},
	"protected/*": {"guest": ["get", "list"], "authenticated": ["get", "list"]},
	"private/${cognito-identity.amazonaws.com:sub}/*": {
		"entityidentity": ["get", "list", "write", "delete"]}
}`

// newStorageOutputs returns the section storage of new outputs.
func newStorageOutputs(region string) map[string]any {
	name := "amplify-sandbox-" + strings.ToLower(rand.Text()[:12])
	return map[string]any{
		"aws_region": region, "bucket_name": name,
		"buckets": []any{map[string]any{"name": "drive", "bucket_name": name, "aws_region": region,
			"paths": json.RawMessage(defaultPaths)}},
	}
}

// buckets returns the buckets of the section storage: that of storage.bucket_name,
// and those of storage.buckets, which says who may do what there.
func (o *outputs) buckets() ([]bucketOutputs, error) {
	text := o.whole["storage"]
	if text == nil {
		return nil, nil
	}
	var section struct {
		bucketOutputs
		Buckets []bucketOutputs `json:"buckets"`
	}
	if err := json.Unmarshal(text, &section); err != nil {
		return nil, fmt.Errorf("sandbox: the section storage of the outputs: %w", err)
	}
	list := section.Buckets
	if name := section.Name; name != "" && !slices.ContainsFunc(list,
		func(b bucketOutputs) bool { return b.Name == name }) {
		list = append(list, bucketOutputs{name, section.Region, json.RawMessage(defaultPaths)})
	}
	var errs []error
	for i, b := range list {
		if !s3.ValidBucketName(b.Name) {
			errs = append(errs, fmt.Errorf(
				"sandbox: the section storage of the outputs: %q is not the name of a bucket",
				b.Name))
		}
		if b.Region == "" {
			list[i].Region = o.auth.Region
		}
	}
	return list, errors.Join(errs...)
}

// storage is S3: its handler, and what leads requests to it.
type storage struct {
	*s3.Handler
	objects *objects.Store
	rules   map[string]*access.Rules
	// hosts are AWS's names for it, each with the bucket that it names, or "".
	hosts map[string]string
}

// newStorage returns S3 with the buckets of the outputs.
func (s *Sandbox) newStorage(ctx context.Context, cfg Config, out *outputs,
	identities *identity.Pool) (*storage, error) {
	buckets, err := out.buckets()
	if err != nil {
		return nil, err
	}
	if err := s.loadStorageAdmin(ctx, cfg.StorageAdmin); err != nil {
		return nil, err
	}
	st := &storage{hosts: map[string]string{}, rules: map[string]*access.Rules{}}
	st.objects, err = objects.New(ctx, s.store, cfg.DataDir, maxObjects, s.clock.Now)
	if err != nil {
		return nil, err
	}
	region := out.auth.Region
	for i, b := range buckets {
		if i == 0 {
			region = b.Region
		}
		if st.rules[b.Name], err = access.Parse(b.Paths); err != nil {
			err = fmt.Errorf("sandbox: the section storage of the outputs: bucket %s: %w",
				b.Name, err)
		} else {
			err = st.objects.CreateBucket(ctx, b.Name, b.Region)
		}
		if err != nil && !errors.Is(err, objects.ErrBucketTaken) {
			return nil, errors.Join(err, st.objects.Close())
		}
		st.addHosts(b)
	}
	st.Handler = s3.NewHandler(s3.Config{
		Objects: st.objects, Region: region, Rules: st.rules, Clock: s.clock.Now, Logger: s.logger,
		HostBucket:  func(host string) string { return st.hosts[hostOf(host)] },
		Credentials: s.storageCredentials(identities),
	})
	return st, nil
}

// console returns S3 as the console shows it.
func (st *storage) console() *console.Storage {
	return &console.Storage{Objects: st.objects, Rules: st.rules}
}

// addHosts adds the names under which AWS serves a bucket: by path, by host, and with transfer
// acceleration (Amazon S3 User Guide, "Virtual hosting of general purpose buckets").
func (st *storage) addHosts(b bucketOutputs) {
	regional := partition.Host("s3", b.Region)
	names := map[string]string{regional: "", b.Name + "." + regional: b.Name,
		b.Name + ".s3." + partition.Of(b.Region).DNSSuffix:            b.Name,
		b.Name + ".s3-accelerate." + partition.Of(b.Region).DNSSuffix: b.Name}
	for host, bucket := range names {
		if dnsName.MatchString(host) { // the outputs may come from another party
			st.hosts[host] = bucket
		}
	}
}

// serves tells whether a request is for S3: it names a host of S3, or is signed for it, or
// has a path in a bucket, and no other service has that path.
func (st *storage) serves(r *http.Request, other *http.ServeMux) bool {
	if _, ok := st.hosts[hostname(r)]; ok {
		return true
	}
	if !isLoopback(hostname(r)) {
		return false
	}
	query := r.URL.Query()
	if query.Has("X-Amz-Signature") || query.Has("X-Amz-Algorithm") ||
		query.Has("X-Amz-Credential") || query.Has("AWSAccessKeyId") {
		return true
	}
	signed := strings.HasPrefix(r.Header.Get("Authorization"), "AWS") ||
		r.Header.Get("X-Amz-Content-Sha256") != ""
	if signed && r.Header.Get("X-Amz-Target") == "" {
		return true
	}
	if _, pattern := other.Handler(r); pattern != "" {
		return false
	}
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	_, err := st.objects.Bucket(r.Context(), bucket)
	return err == nil
}

// loadStorageAdmin reads the administrator's key, or makes it.
func (s *Sandbox) loadStorageAdmin(ctx context.Context, wanted bool) error {
	if !wanted {
		return nil
	}
	const name = "storage_admin"
	return s.store.Update(ctx, func(tx *store.Tx) error {
		text, err := tx.Meta(name)
		if err == nil {
			return json.Unmarshal(text, &s.storageAdmin)
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		secret := make([]byte, 30)
		_, _ = rand.Read(secret) // never fails (crypto/rand)
		s.storageAdmin = StorageKey{"AKIA" + rand.Text()[:16],
			base64.StdEncoding.EncodeToString(secret)}
		if text, err = json.Marshal(s.storageAdmin); err != nil {
			return err
		}
		return tx.SetMeta(name, text)
	})
}

// storageCredentials returns the function that tells whose credentials are used.
func (s *Sandbox) storageCredentials(
	identities *identity.Pool,
) func(r *http.Request, accessKeyID, token string) (s3.Caller, string, error) {
	return func(r *http.Request, accessKeyID, token string) (s3.Caller, string, error) {
		if admin, ok := s.StorageAdmin(); ok && accessKeyID == admin.AccessKeyID {
			switch {
			case token != "":
				return s3.Caller{}, "", s3.ErrInvalidToken
			case !isLoopback(hostname(r)):
				return s3.Caller{}, "", s3.ErrUnknownKey
			}
			return s3.Caller{Admin: true, ID: admin.AccessKeyID}, admin.SecretAccessKey, nil
		}
		if token == "" || identities == nil {
			return s3.Caller{}, "", s3.ErrUnknownKey
		}
		who, secret, err := identities.Lookup(accessKeyID, token)
		switch {
		case errors.Is(err, identity.ErrExpiredCredentials):
			return s3.Caller{}, "", s3.ErrExpiredToken
		case err != nil:
			return s3.Caller{}, "", s3.ErrInvalidToken
		}
		return s3.Caller{
			Caller: access.Caller{Role: s.storageRole(who, identities), IdentityID: who.IdentityID},
			ARN:    assumedRole(who.Role), ID: who.IdentityID,
		}, secret, nil
	}
}

// storageRole returns the role of the rules that somebody has. A role
// that is neither a default one nor a group's has no rights.
func (s *Sandbox) storageRole(who identity.Principal, identities *identity.Pool) access.Role {
	switch cfg := identities.Config(); who.Role {
	case cfg.GuestRole:
		return access.Guest
	case cfg.UserRole:
		return access.Authenticated
	}
	for _, g := range s.pool.Config().Groups {
		if g.RoleARN == who.Role {
			return access.GroupRole(g.Name)
		}
	}
	return ""
}

// assumedRole returns the ARN of a session with a role, as errors of AWS name it.
func assumedRole(role string) string {
	role = strings.Replace(role, ":iam:", ":sts:", 1)
	role = strings.Replace(role, ":role/", ":assumed-role/", 1)
	return role + "/CognitoIdentityCredentials"
}

// router leads requests to AppSync, to S3 and to the other services.
type router struct {
	*Sandbox
	mux    *http.ServeMux // of the other services
	others http.Handler   // serves mux
}

func (s router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.isGraphQL(r):
		s.data.ServeHTTP(w, r)
	case s.isRealtime(r):
		s.realtime.ServeHTTP(w, r)
	case s.storage.serves(r, s.mux):
		s.storage.ServeHTTP(w, r)
	default:
		s.others.ServeHTTP(w, r)
	}
}

// Refuse answers calls of AppSync and S3 with errors of
// theirs. It is an ability that [faults.Set.Handler] knows.
func (s router) Refuse(w http.ResponseWriter, r *http.Request, o faults.Outcome) bool {
	if s.isGraphQL(r) || s.isRealtime(r) {
		return refuseGraphQL(w, o)
	}
	if !s.storage.serves(r, s.mux) {
		return false
	}
	switch o {
	case faults.Throttle:
		s3.Fail(w, r, &s3.Error{Status: http.StatusServiceUnavailable, Code: "SlowDown",
			Message: "Please reduce your request rate."})
	case faults.JSON500:
		s3.Fail(w, r, &s3.Error{Status: http.StatusInternalServerError, Code: "InternalError",
			Message: "We encountered an internal error, please try again."})
	default:
		return false
	}
	return true
}
