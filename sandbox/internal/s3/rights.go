package s3

import (
	"fmt"

	"github.com/amplify-go/amplify/sandbox/internal/partition"
	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
)

// allows tells whether the caller may do a in a bucket to an object, or, for
// lists, with a prefix. Its error is what AWS answers.
func (q *request) allows(bucket string, a access.Action, key string) error {
	if q.caller.Admin {
		return nil
	}
	name, resource := "s3:GetObject", bucket+"/"+key
	switch a {
	case access.Write:
		name = "s3:PutObject"
	case access.Delete:
		name = "s3:DeleteObject"
	case access.List:
		name, resource = "s3:ListBucket", bucket
	}
	rules := q.h.cfg.Rules[bucket]
	if rules == nil {
		return q.denied(name, resource)
	}
	switch rules.Evaluate(q.caller.Caller, a, key) {
	case access.Allowed:
		return nil
	case access.Denied:
		return accessDenied(fmt.Sprintf(
			"User: %s is not authorized to perform: %s on resource: %q with an explicit deny in "+
				"an identity-based policy",
			q.caller.ARN, name, q.arn(resource)))
	default:
		return q.denied(name, resource)
	}
}

// denied is the error where no rule allows an action.
func (q *request) denied(action, resource string) error {
	return accessDenied(fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %q "+
		"because no identity-based policy allows the %s action",
		q.caller.ARN, action, q.arn(resource), action))
}

// arn returns the ARN of a bucket or an object, such as "arn:aws:s3:::photos/a.png".
func (q *request) arn(resource string) string {
	region := q.bucket.Region
	if region == "" {
		region = q.h.cfg.Region
	}
	return "arn:" + partition.Of(region).ID + ":s3:::" + resource
}

// adminOnly refuses everybody but the administrator: Amplify gives nobody the right to do it.
func (q *request) adminOnly(action string) error {
	if q.caller.Admin {
		return nil
	}
	resource := q.name
	if q.key != "" {
		resource += "/" + q.key
	}
	return q.denied("s3:"+action, resource)
}

// missing is the error where there is no such object. Who may not list the
// bucket without a prefix does not learn that: with Amplify's rules nobody may.
func (q *request) missing(bucket, key string) error {
	if q.caller.Admin {
		return noSuchKey(key)
	}
	return q.denied("s3:ListBucket", bucket)
}
