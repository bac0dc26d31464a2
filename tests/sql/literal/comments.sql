SELECT -- to the end of the line
  1 /* inside */ + /* 'quote */ 2;
