SELECT 'plain', 'it''s', '', U&'d\0061t\+000061', U&'d!0061ta' UESCAPE '!', 'täglich'
