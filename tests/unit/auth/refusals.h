/* tests/unit/auth/refusals.h - pieces of requests, and the texts of table 2.4 in the shape wire_verdict gives
 * them. */
#ifndef MR_TESTS_UNIT_AUTH_REFUSALS_H
#define MR_TESTS_UNIT_AUTH_REFUSALS_H

#include "wire.h"

#define DATE "X-Amz-Date: 20260102T030405Z\n"
#define TOP "POST /\nHost: localhost:8443\n"
#define GET TOP DATE
#define SIG "fdcd64d33e1091fa983ddb8c732ce7a3f9e81a197371250f2106424b132d71bd"
#define SCOPE "/20260102/us-east-1/timestream/aws4_request"
#define CRED "AKIDEXAMPLE" SCOPE
#define V4 "AWS4-HMAC-SHA256"
#define RAW(text) "Authorization: " text "\n"
#define AUTH(cred, list) RAW(V4 " Credential=" cred ", SignedHeaders=" list ", Signature=" SIG)
#define LIST "host;x-amz-date"

#define ALGORITHM "X-Amz-Algorithm=" V4
#define CREDENTIAL "&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Fus-east-1%2Ftimestream%2Faws4_request"
#define QDATE "&X-Amz-Date=20260102T030405Z"
#define EXPIRES "&X-Amz-Expires=900"
#define QLIST "&X-Amz-SignedHeaders=host"
#define QSIG "&X-Amz-Signature=" SIG
#define QUERY(parts) "GET /?" parts "\nHost: localhost:8443\n"
#define ALL ALGORITHM CREDENTIAL QDATE EXPIRES QLIST QSIG

#define NO_TOKEN "MissingAuthenticationTokenException: Missing Authentication Token"
#define BOTH                                                                                                 \
    "InvalidSignatureException: Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' "   \
    "as HTTP header."
#define INC "IncompleteSignatureException: "
#define INV "InvalidSignatureException: "
#define NO_CRED "Authorization header requires 'Credential' parameter. "
#define NO_SIG "Authorization header requires 'Signature' parameter. "
#define NO_LIST "Authorization header requires 'SignedHeaders' parameter. "
#define NO_DATE "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
#define NO_PARAM(name) "AWS query-string parameters must include '" name "'. "
#define RE "Re-examine the query-string parameters."
#define NO_EQUALS(part, header)                                                                              \
    INC "'" part "' not a valid key=value pair (missing equal-sign) in Authorization header: '" header "'."
#define BAD_DATE(x)                                                                                          \
    INC "Date must be in ISO-8601 'basic format'. Got '" x "'. See http://en.wikipedia.org/wiki/ISO_8601"
#define NO_HOST INV "'Host' must be a 'SignedHeader' in the AWS Authorization."
#define UNSIGNED(x) INV "'" x "' must be a 'SignedHeader' in the AWS Authorization."
#define BAD_ALGORITHM(x) INC "Unsupported AWS 'algorithm': '" x "' (only AWS4-HMAC-SHA256 for now). "
#define NOT_FIVE(x)                                                                                          \
    INC "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "     \
        "got '" x "'"
#define REGION(x) "Credential should be scoped to a valid region, not '" x "'. "
#define SERVICE "Credential should be scoped to correct service: 'timestream'. "
#define TERM(x) "Credential should be scoped with a valid terminator: 'aws4_request', not '" x "'. "
#define DAY(x)                                                                                               \
    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" x          \
    "' != '20260102', from '20260102T030405Z'."
#define UNKNOWN "UnrecognizedClientException: The security token included in the request is invalid."
#define BAD_TOKEN "UnrecognizedClientException: The security token included in the request is invalid"
#define EXPIRED_TOKEN "ExpiredTokenException: The security token included in the request is expired"
#define MISMATCH                                                                                             \
    INV "The request signature we calculated does not match the signature you provided. Check your AWS "     \
        "Secret Access Key and signing method. Consult the service documentation for details."

#endif
