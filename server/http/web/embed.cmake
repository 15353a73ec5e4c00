# cmake -DIN=file -DOUT=file.c -DNAME=symbol -P embed.cmake: the file as a
# NUL-terminated array of bytes.
file(READ "${IN}" hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE "${OUT}.new" "extern const char ${NAME}[];\nconst char ${NAME}[] = {\n${bytes}0};\n")
file(COPY_FILE "${OUT}.new" "${OUT}" ONLY_IF_DIFFERENT)
file(REMOVE "${OUT}.new")
